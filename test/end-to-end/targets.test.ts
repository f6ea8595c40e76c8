import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { EntryDetail } from '../../src/inbox/inbox.ts'
import { openInbox } from '../../src/inbox/open-inbox.ts'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { TARGET_SECRET } from '../support/loaded-target.ts'
import { planPostgresSchema } from '../support/postgres-schema.ts'
import { makeScratch } from '../support/scratch.ts'
import { snapshotJson } from '../support/sign.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'
import { startTargetServer, type TargetServer } from '../support/target-server.ts'

const EVENT_TS = new URL('../../src/event.ts', import.meta.url).href
const ROUNDS = 3
const EACH_ROUND = 60
/** The first retry comes after 10 s, and a fifth more at most. */
const RETRIED_WITHIN_MS = 30_000

let scratch: Awaited<ReturnType<typeof makeScratch>>
const servers: ServerProcess[] = []
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.kill('SIGKILL')
    await server.exited
  }
  await scratch.remove()
})

/** A server with these targets, as TypeScript of a module. */
async function start(targets: string, env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
  const module = join(scratch.path, 'targets.ts')
  await writeFile(
    module,
    `import { env, type Targets } from '${EVENT_TS}'\nexport const targets = { ${targets} } satisfies Targets`,
  )
  const given = { TARGETS: module, SHOP_SECRET: TARGET_SECRET, ...env }
  const server = await spawnServer({ folder: scratch.path, env: given })
  servers.push(server)
  return server
}
const targetAt = (server: TargetServer, more = '') =>
  `{ url: '${server.url}', secrets: [env('SHOP_SECRET')], sign: 'stripe', ${more} }`

async function look(databaseUrl: string, eventIds: readonly string[]): Promise<(EntryDetail | undefined)[]> {
  const inbox = await openInbox(databaseUrl, 'command')
  try {
    return await Promise.all(eventIds.map((eventId) => inbox.get(eventId)))
  } finally {
    await inbox.close()
  }
}

it('forwards what fits to the targets of a TypeScript module, for which no handler is needed', async () => {
  const [shop, rest] = [await startTargetServer(), await startTargetServer()]
  const where = `types: ['refund.*'], where: (event) => event.data.object.metadata?.shop === '7'`
  const server = await start(`shop: ${targetAt(shop, where)}, rest: ${targetAt(rest, `types: ['payout.*']`)}`)
  const refund = (metadata: object) =>
    snapshotJson({ type: 'refund.created', data: { object: { id: 're_1', object: 'refund', metadata } } })
  const [mine, other] = [refund({ shop: '7' }), refund({ shop: '8' })]
  for (const body of [mine, other]) expect(await deliver(`${server.url}/webhook`, body)).toBe(200)
  await eventually('the event to be forwarded', () => shop.received.length === 1)
  const [got] = shop.received
  expect(got?.body.toString()).toBe(mine)
  const signature = String(got?.headers['stripe-signature'])
  expect(Stripe.webhooks.constructEvent(got?.body ?? '', signature, TARGET_SECRET).id).toBe(JSON.parse(mine).id)
  const ids = [mine, other].map((body) => JSON.parse(body).id)
  const database = `file:${join(scratch.path, 'data', 'inbox.db')}`
  const found = await eventually('both to be settled', async () => {
    const details = await look(database, ids)
    const isSettled = details.every((detail) => detail?.entry.settledAt)
    return isSettled && details[0]?.forwards[0]?.state === 'delivered' && details
  })
  expect(found.map((detail) => detail?.entry.state)).toEqual(['handled', 'unhandled'])
  expect(found.map((detail) => detail?.forwards.map(({ target }) => target))).toEqual([['shop'], []])
  expect(rest.received).toEqual([])
  expect(server.text()).not.toContain(TARGET_SECRET)
  const metrics = await (await fetch(`${server.adminUrl}/metrics`)).text()
  expect(metrics).toContain('stripe_receiver_forward_duration_seconds_count{target="shop",outcome="delivered"} 1')
})

it('does not start with a target that is no good, and tells each fault', async () => {
  const wrong = `shop: { url: 'http://169.254.169.254/', secrets: [env('NONE')], sign: 'stripe' }`
  await expect(start(wrong)).rejects.toThrow(/2 fault\(s\)|link-local/)
})

describe.each(['SQLite', 'Postgres'])("order: 'lane', on %s", (store) => {
  it('keeps the events of an object in order of arrival though the first fails once, and lets others pass', {
    timeout: 60_000,
  }, async () => {
    const schema = store === 'Postgres' ? planPostgresSchema() : undefined
    onTestFinished(async () => schema?.remove())
    const target = await startTargetServer()
    const server = await start(`shop: ${targetAt(target, "order: 'lane'")}`, schema && { DATABASE_URL: schema.url })
    const send = async (id: string, object: string) => {
      const body = snapshotJson({ id, data: { object: { id: object, object: 'payment_intent' } } })
      expect(await deliver(`${server.url}/webhook`, body)).toBe(200)
    }
    target.answer((response, { eventId, headers }) => {
      const fails = eventId === 'evt_a1' && headers['stripe-receiver-attempt'] === '1'
      response.writeHead(fails ? 500 : 200).end()
    })
    for (const number of [1, 2, 3, 4]) await send(`evt_a${number}`, 'pi_a')
    await eventually('the first attempt', () => target.received.length > 0)
    for (const number of [1, 2, 3]) await send(`evt_b${number}`, 'pi_b')
    await eventually('the others to pass', () => target.idsOf().includes('evt_b3'))
    await eventually('all to be delivered', () => target.idsOf().includes('evt_a4'), RETRIED_WITHIN_MS)
    const of = (object: string) => target.idsOf().filter((eventId) => eventId.startsWith(`evt_${object}`))
    expect(of('a')).toEqual(['evt_a1', 'evt_a1', 'evt_a2', 'evt_a3', 'evt_a4'])
    expect(of('b')).toEqual(['evt_b1', 'evt_b2', 'evt_b3'])
    expect(target.idsOf().indexOf('evt_b3')).toBeLessThan(target.idsOf().lastIndexOf('evt_a1'))
  })
})

describe.each(['SQLite', 'Postgres'])('kill -9 under load, on %s', (store) => {
  it('loses no forward, and repeats one only where an attempt has no recorded end', { timeout: 120_000 }, async () => {
    const schema = store === 'Postgres' ? planPostgresSchema() : undefined
    const database = schema?.url ?? `file:${join(scratch.path, 'data', 'inbox.db')}`
    const target = await startTargetServer()
    const answered: string[] = []
    const begin = () => start(`shop: ${targetAt(target, 'timeoutMs: 1_000')}`, { DATABASE_URL: database })

    async function send(server: ServerProcess): Promise<void> {
      const body = snapshotJson({ id: `evt_${crypto.randomUUID()}` })
      const status = await deliver(`${server.url}/webhook`, body).catch(() => undefined)
      if (status === 200) answered.push(JSON.parse(body).id)
    }
    for (let round = 1; round <= ROUNDS; round += 1) {
      const server = await begin()
      const before = target.received.length
      const sending = Promise.all(Array.from({ length: EACH_ROUND }, () => send(server)))
      await eventually('some to be forwarded', () => target.received.length > before + 5)
      server.kill('SIGKILL')
      await Promise.all([server.exited, sending])
    }
    await begin()
    await eventually(
      'each that was answered 200 to be delivered',
      async () => {
        const details = await look(database, answered)
        return details.every((detail) => detail?.forwards[0]?.state === 'delivered')
      },
      60_000,
    )
    expect(answered.length).toBeGreaterThan(0)
    const times = Map.groupBy(target.idsOf(), (eventId) => eventId)
    const details = await look(database, answered)
    for (const [index, eventId] of answered.entries()) {
      const history = details[index]?.forwards[0]?.history ?? []
      const sent = times.get(eventId)?.length ?? 0
      expect(sent, eventId).toBeGreaterThanOrEqual(1)
      expect(sent, eventId).toBeLessThanOrEqual(1 + history.filter(({ outcome }) => outcome === 'lost').length)
    }
    for (const server of servers.splice(0)) {
      server.kill('SIGKILL')
      await server.exited
    }
    await schema?.remove()
  })
})
