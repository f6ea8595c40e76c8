import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openInbox } from '../../src/inbox/open-inbox.ts'
import { UNTRIED } from '../../src/targets/circuit.ts'
import { eventually } from '../support/eventually.ts'
import { createDelivery, type Delivery, sendLoad } from '../support/load.ts'
import { newEntry } from '../support/new-entry.ts'
import { planPostgresSchema } from '../support/postgres-schema.ts'
import { readRecord } from '../support/recording-handlers.ts'
import { runCli } from '../support/run-cli.ts'
import { makeScratch } from '../support/scratch.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'
import { type Answer, startTargetServer, type TargetServer, verifying } from '../support/target-server.ts'
import { targetAt, writeTargets } from '../support/write-targets.ts'

const HANDLERS = fileURLToPath(new URL('../support/recording-handlers.ts', import.meta.url))
const WITHIN_MS = 60_000

let undo: AsyncDisposableStack
let folder: string
beforeEach(async () => {
  undo = new AsyncDisposableStack()
  const scratch = await makeScratch()
  undo.defer(scratch.remove)
  folder = scratch.path
})
afterEach(() => undo.disposeAsync())

async function start(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const record = { HANDLERS, RECORD_FILE: join(folder, 'record.txt') }
  const server = await spawnServer({ folder, env: { ...record, ...env } })
  undo.defer(async () => {
    server.kill('SIGKILL')
    await server.exited
  })
  return server
}
async function open(databaseUrl: string, as: 'server' | 'command' = 'command'): Promise<Inbox> {
  return undo.adopt(await openInbox(databaseUrl, as), (inbox) => inbox.close())
}
const sqliteIn = (path: string) => `file:${join(path, 'inbox.db')}`

/** Delivers that many, and gives their ids; each is answered 200. */
async function send({ url }: ServerProcess, count: number): Promise<string[]> {
  const deliveries = Array.from({ length: count }, (): Delivery => createDelivery())
  const waiting = [...deliveries]
  const answers: number[] = []
  await sendLoad({ url, connections: 8, next: () => waiting.pop(), onAnswer: (_, status) => answers.push(status) })
  expect(answers).toEqual(deliveries.map(() => 200))
  return deliveries.map(({ eventId }) => eventId)
}

const handledIds = () =>
  readRecord(join(folder, 'record.txt')).steps.flatMap(({ step, eventId }) => (step === 'handled' ? [eventId] : []))
/** Each of these once, and nothing else. */
const expectOnce = (got: readonly string[], ids: readonly string[]) => expect(got.toSorted()).toEqual(ids.toSorted())
const hasAll = (got: readonly string[], ids: readonly string[]) => new Set(ids).isSubsetOf(new Set(got))

/** Answers nothing until it is released, and as usual from then on. */
function holdBack(target: TargetServer): { release(): void } {
  const held: Parameters<Answer>[] = []
  target.answer((...given) => void held.push(given))
  return {
    release() {
      target.answer(verifying)
      for (const given of held.splice(0)) verifying(...given)
    },
  }
}

it('two working processes send each event to each target once, each with a concurrency of its own', async () => {
  const schema = undo.use(planPostgresSchema())
  const [shop, books] = [await startTargetServer(verifying), await startTargetServer(verifying)]
  const targets = await writeTargets(folder, {
    shop: targetAt(shop.url, 'concurrency: 2'),
    books: targetAt(books.url, `types: ['payment_intent.*']`),
  })
  const env = { DATABASE_URL: schema.url, ...targets }
  const [receiver] = await Promise.all(['receive', 'work', 'work'].map((ROLE) => start({ ...env, ROLE })))
  if (receiver === undefined) throw new Error('no receiver')
  const shopAnswers = holdBack(shop)
  const ids = await send(receiver, 200)
  await eventually('both processes to have sent what they may', () => shop.open() === 4, WITHIN_MS)
  await eventually('all to reach the other target meanwhile', () => hasAll(books.idsOf(), ids), WITHIN_MS)
  expect(shop.received).toHaveLength(4)
  shopAnswers.release()
  const inbox = await open(schema.url)
  await eventually('all to be delivered', async () => (await inbox.forwards.counts()).length === 0, WITHIN_MS)
  for (const target of [shop, books]) expectOnce(target.idsOf(), ids)
  expect(shop.most()).toBe(4)
  expectOnce(handledIds(), ids)
})

it('a target that is down stops nothing else, and gets all once it is back', async () => {
  const [down, well] = [await startTargetServer(verifying), await startTargetServer(verifying)]
  await down.goAway()
  const database = sqliteIn(folder)
  const targets = await writeTargets(folder, { down: targetAt(down.url), well: targetAt(well.url) })
  const env = { DATABASE_URL: database, ...targets }
  const server = await start(env)
  const inbox = await open(database)
  // Half a minute ago: a test waits for no circuit.
  const failing = { ...UNTRIED, failures: 8, failingSince: Date.now() - 30_000 }
  expect(await inbox.forwards.writeState('down', failing, 0)).toBe(true)
  const early = await send(server, 50)
  const isOpen = () => server.lines().some(({ msg, target }) => target === 'down' && msg.includes('circuit is open'))
  await eventually('the circuit to open', isOpen)
  const ids = [...early, ...(await send(server, 50))]
  await eventually('all to reach the other target', () => hasAll(well.idsOf(), ids), WITHIN_MS)
  await eventually('all to be handled', () => hasAll(handledIds(), ids), WITHIN_MS)
  await down.comeBack()
  expect(await runCli(['targets', 'resume', 'down'], { env })).toMatchObject({ code: 0 })
  expect(await inbox.forwards.states()).toMatchObject([{ target: 'down', state: { open: null } }])
  await eventually('all to be delivered', async () => (await inbox.forwards.counts()).length === 0, WITHIN_MS)
  for (const target of [down, well]) expectOnce(target.idsOf(), ids)
  expectOnce(handledIds(), ids)
})

it('neither a target that never answers nor one with a huge backlog slows another, or the handlers', async () => {
  const BACKLOG = 2_000
  const [hanging, busy, well] = await Promise.all(
    [undefined, verifying, verifying].map((how) => startTargetServer(how)),
  )
  if (hanging === undefined || busy === undefined || well === undefined) throw new Error('no target')
  const hangs = holdBack(hanging)
  const database = sqliteIn(folder)
  const before = await openInbox(database, 'server')
  const forwards = [{ target: 'busy', hops: 1, held: null }]
  await Promise.all(Array.from({ length: BACKLOG }, () => before.add(newEntry({ type: 'payout.paid', forwards }))))
  await before.close()
  const targets = await writeTargets(folder, {
    // By name the worst come first.
    busy: targetAt(busy.url, 'perSecond: 20'),
    hanging: targetAt(hanging.url, 'timeoutMs: 60_000, concurrency: 2'),
    well: targetAt(well.url),
  })
  const server = await start({ DATABASE_URL: database, ...targets })
  await eventually('the backlog to be worked on', () => busy.received.length > 0)
  const ids = await send(server, 200)
  await eventually('all to reach the one that is well', () => hasAll(well.idsOf(), ids), WITHIN_MS)
  await eventually('all to be handled', () => hasAll(handledIds(), ids), WITHIN_MS)
  expect([hanging.open(), hanging.received.length]).toEqual([2, 2])
  expect(busy.received.length).toBeLessThan(BACKLOG)
  expectOnce(well.idsOf(), ids)
  hangs.release()
  await eventually('all to reach it that hung', () => hasAll(hanging.idsOf(), ids), WITHIN_MS)
  expectOnce(hanging.idsOf(), ids)
})
