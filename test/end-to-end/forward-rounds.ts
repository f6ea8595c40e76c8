import { randomUUID } from 'node:crypto'
import { Agent } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openInbox } from '../../src/inbox/open-inbox.ts'
import { resumeTarget } from '../../src/operations/hold-target.ts'
import { eventually } from '../support/eventually.ts'
import { type Delivery, post } from '../support/load.ts'
import { planPostgresSchema } from '../support/postgres-schema.ts'
import { makeScratch } from '../support/scratch.ts'
import { snapshotJson } from '../support/sign.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'
import { startTargetServer, verifying } from '../support/target-server.ts'
import { targetAt, writeTargets } from '../support/write-targets.ts'
import { type Comparison, compareForwards, type Targets } from './compare-forwards.ts'

const MAIN = fileURLToPath(new URL('../support/short-leases.ts', import.meta.url))
/** Kills fall anywhere in this time under load. */
const LONGEST_LOAD_MS = 300
/** To each server. */
const SENDERS = 4
const LONGEST_PAUSE_MS = 40
/** What a target takes for an answer: kills find requests that have none. */
const LONGEST_ANSWER_MS = 20
/** Share of the kills that hit every process at once. */
const ALL_SHARE = 0.25
const SETTLE_WITHIN_MS = 120_000
/** With what a lease has beyond it, for as long nobody sends again what a process had that was killed. */
const TIMEOUT_MS = 2_000

const actor = { who: 'the test', from: 'command' } as const

/**
 * Kills servers that forward under load, again and again, and compares what targets got with what was answered and recorded. Of three
 * targets one takes all, one by a `where`, and one refuses connections until the end. On Postgres two servers share the inbox.
 */
export async function runForwardRounds(store: 'SQLite' | 'Postgres', rounds: number): Promise<Comparison> {
  await using undo = new AsyncDisposableStack()
  const scratch = await makeScratch()
  undo.defer(scratch.remove)
  const schema = store === 'Postgres' ? undo.use(planPostgresSchema()) : undefined
  const database = schema?.url ?? `file:${join(scratch.path, 'data', 'inbox.db')}`
  const targets = await startTargets()
  await targets.away.goAway()
  const env = { DATABASE_URL: database, ...(await writeModule(scratch.path, targets)) }
  const servers: (ServerProcess | undefined)[] = schema === undefined ? [undefined] : [undefined, undefined]
  const start = async (place: number) => {
    servers[place] = await spawnServer({ folder: scratch.path, env, main: MAIN })
  }
  const kill = async (place: number) => {
    servers[place]?.kill('SIGKILL')
    await servers[place]?.exited
  }
  undo.defer(async () => void (await Promise.all(servers.keys().map(kill))))

  const unanswered = new Map<string, Delivery>()
  const answered = new Map<string, Delivery>()
  for (const place of servers.keys()) await start(place)
  for (let round = 1; round <= rounds; round += 1) {
    const before = targets.all.received.length
    let isOver = false
    const sending = servers.flatMap((server) =>
      Array.from({ length: SENDERS }, () => send(server, () => isOver, unanswered, answered)),
    )
    await eventually('some to be forwarded', () => targets.all.received.length > before + SENDERS)
    await delay(Math.random() * LONGEST_LOAD_MS)
    const victims = Math.random() < ALL_SHARE ? [...servers.keys()] : [Math.floor(Math.random() * servers.length)]
    await Promise.all(victims.map(kill))
    isOver = true
    await Promise.all(sending)
    for (const victim of victims) await start(victim)
  }

  // As Stripe does with what was not answered 200.
  for (const delivery of unanswered.values()) {
    const isTaken = async () => (await post(servers[0]?.url ?? '', delivery)).status === 200
    await eventually(`${delivery.eventId} to be answered 200`, isTaken)
    answered.set(delivery.eventId, delivery)
  }
  await targets.away.comeBack()
  const inbox = undo.adopt(await openInbox(database, 'command'), (opened) => opened.close())
  await resumeTarget(inbox, actor, 'away')
  // What is not through by then is told of each.
  await eventually('everything to settle', () => isSettled(inbox), SETTLE_WITHIN_MS).catch(() => undefined)
  return await compareForwards(inbox, targets, [...answered.values()])
}

async function startTargets(): Promise<Targets> {
  const start = () =>
    startTargetServer((response, received) => {
      setTimeout(() => verifying(response, received), Math.random() * LONGEST_ANSWER_MS)
    })
  return { all: await start(), seven: await start(), away: await startTargetServer(verifying) }
}

function writeModule(folder: string, { all, seven, away }: Targets) {
  const timeout = `timeoutMs: ${TIMEOUT_MS}`
  const where = `where: (event) => event.data.object.metadata?.shop === '7'`
  return writeTargets(folder, {
    all: targetAt(all.url, timeout),
    seven: targetAt(seven.url, `${timeout}, ${where}`),
    away: targetAt(away.url, timeout),
  })
}

/** What goes to `seven` has it in its id, for whoever compares. */
function createShopDelivery(): Delivery {
  const shop = Math.random() < 0.5 ? '7' : '8'
  const [eventId, objectId] = [`evt_shop${shop}_${randomUUID()}`, `pi_${randomUUID()}`]
  const object = { id: objectId, object: 'payment_intent', metadata: { shop } }
  return { eventId, objectId, body: snapshotJson({ id: eventId, data: { object } }) }
}

/** Posts one delivery after the other until it is told to end, or the server is gone. */
async function send(
  server: ServerProcess | undefined,
  isOver: () => boolean,
  unanswered: Map<string, Delivery>,
  answered: Map<string, Delivery>,
): Promise<void> {
  const agent = new Agent({ keepAlive: true })
  while (!isOver()) {
    const delivery = createShopDelivery()
    unanswered.set(delivery.eventId, delivery)
    const answer = await post(server?.url ?? '', delivery, { agent }).catch(() => undefined)
    if (answer === undefined) break
    if (answer.status === 200) {
      unanswered.delete(delivery.eventId)
      answered.set(delivery.eventId, delivery)
    }
    await delay(Math.random() * LONGEST_PAUSE_MS)
  }
  agent.destroy()
}

/** True once no forward waits or runs; nobody waits for a retry. */
async function isSettled(inbox: Inbox): Promise<boolean> {
  const counts = (await inbox.forwards.counts()).filter(({ state }) => state === 'pending' || state === 'running')
  for (const { target } of counts) await inbox.forwards.hasten(target, 1_000)
  return counts.length === 0
}
