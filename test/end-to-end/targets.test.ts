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
import { startTargetServer } from '../support/target-server.ts'
import { targetAt, writeTargets } from '../support/write-targets.ts'

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

/** A server with these targets, as source by name. */
async function start(targets: Readonly<Record<string, string>>, more = {}): Promise<ServerProcess> {
  const env = { ...(await writeTargets(scratch.path, targets)), ...more }
  const server = await spawnServer({ folder: scratch.path, env })
  servers.push(server)
  return server
}

async function look(databaseUrl: string, eventIds: readonly string[]): Promise<(EntryDetail | undefined)[]> {
  const inbox = await openInbox(databaseUrl, 'command')
  try {
    return await Promise.all(eventIds.map((eventId) => inbox.get(eventId)))
  } finally {
    await inbox.close()
  }
}

/** Has a failed forward made again now, once its failure is recorded. */
async function hasten(databaseUrl: string, eventId: string): Promise<void> {
  const inbox = await openInbox(databaseUrl, 'command')
  try {
    const isPending = async () => (await inbox.get(eventId))?.forwards[0]?.state === 'pending'
    await eventually('the failure to be recorded', isPending)
    expect(await inbox.forwards.replay('shop', [eventId], ['pending'])).toEqual([eventId])
  } finally {
    await inbox.close()
  }
}

it('forwards what fits to the targets of a TypeScript module, for which no handler is needed', async () => {
  const [shop, rest] = [await startTargetServer(), await startTargetServer()]
  const where = `types: ['refund.*'], where: (event) => event.data.object.metadata?.shop === '7'`
  const server = await start({ shop: targetAt(shop.url, where), rest: targetAt(rest.url, `types: ['payout.*']`) })
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
  const shop = `{ url: 'http://169.254.169.254/', secrets: [env('NONE')], sign: 'stripe' }`
  await expect(start({ shop })).rejects.toThrow(/2 fault\(s\)|link-local/)
})

describe.each(['SQLite', 'Postgres'])("order: 'lane', on %s", (store) => {
  it('keeps the events of an object in order of arrival though the first fails once, and lets others pass', async () => {
    const schema = store === 'Postgres' ? planPostgresSchema() : undefined
    onTestFinished(async () => schema?.remove())
    const target = await startTargetServer()
    const database = schema?.url ?? `file:${join(scratch.path, 'data', 'inbox.db')}`
    const server = await start({ shop: targetAt(target.url, "order: 'lane'") }, { DATABASE_URL: database })
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
    await hasten(database, 'evt_a1')
    await eventually('all to be delivered', () => target.idsOf().includes('evt_a4'))
    const of = (object: string) => target.idsOf().filter((eventId) => eventId.startsWith(`evt_${object}`))
    expect(of('a')).toEqual(['evt_a1', 'evt_a1', 'evt_a2', 'evt_a3', 'evt_a4'])
    expect(of('b')).toEqual(['evt_b1', 'evt_b2', 'evt_b3'])
    expect(target.idsOf().indexOf('evt_b3')).toBeLessThan(target.idsOf().lastIndexOf('evt_a1'))
  })
})
