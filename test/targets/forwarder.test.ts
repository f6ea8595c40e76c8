import { Webhook } from 'standardwebhooks'
import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ReceiverError } from '../../src/errors.ts'
import type { NewEntry } from '../../src/event.ts'
import type { ForwardLease } from '../../src/inbox/forwards.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { UNTRIED } from '../../src/targets/circuit.ts'
import { type Forwarder, type ForwarderOptions, startForwarder } from '../../src/targets/forwarder.ts'
import type { LoadedTarget } from '../../src/targets/load.ts'
import { eventually } from '../support/eventually.ts'
import { loadedTarget, TARGET_SECRET } from '../support/loaded-target.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'
import { snapshotJson } from '../support/sign.ts'
import { startTargetServer, status } from '../support/target-server.ts'

let inbox: Inbox
let remove: () => Promise<void>
let forwarder: Forwarder | undefined
beforeEach(async () => {
  const opened = await openScratchInbox()
  inbox = opened.inbox
  remove = opened.remove
})
afterEach(async () => {
  vi.useRealTimers()
  await forwarder?.stop(0)
  forwarder = undefined
  await remove()
})

async function start(targets: readonly Partial<LoadedTarget>[], given: Partial<ForwarderOptions> = {}) {
  const captured = await captureLog()
  forwarder = startForwarder({
    ...{ targets: targets.map(loadedTarget), inbox, log: captured.log, maxAttempts: 20, proxyEnv: {} },
    leaseMarginMs: 15_000,
    ...given,
  })
  return captured
}

async function add(targets: readonly string[], overrides: Partial<NewEntry> = {}): Promise<string> {
  const forwards = targets.map((target) => ({ target, hops: 1, held: null }))
  const entry = newEntry({ forwards, ...overrides })
  await inbox.add(entry)
  forwarder?.wake()
  return entry.eventId
}
const addMany = (count: number, targets: readonly string[]) =>
  Promise.all(Array.from({ length: count }, () => add(targets)))
const forwardOf = async (eventId: string, target = 'shop') =>
  (await inbox.get(eventId))?.forwards.find((each) => each.target === target)
const reaches = (eventId: string, state: string, target = 'shop') =>
  eventually(`${eventId} to be ${state} for ${target}`, async () => {
    const forward = await forwardOf(eventId, target)
    return forward?.state === state && forward
  })
const settled = (eventId: string) =>
  eventually(`${eventId} to be settled`, async () => {
    const forward = await forwardOf(eventId)
    return forward?.settledAt instanceof Date && forward
  })
const failsOnce = (eventId: string) =>
  eventually('a failure on record', async () => {
    const forward = await forwardOf(eventId)
    return forward?.state === 'pending' && forward.history.length === 1 && forward
  })
const known = async (target = 'shop') =>
  (await inbox.forwards.states()).find((each) => each.target === target)?.state ?? UNTRIED

describe('the forwarder', () => {
  it('sends the exact bytes, signed for the target, with what it may want to know', async () => {
    const server = await startTargetServer()
    await start([{ url: server.url }])
    const body = Buffer.from(snapshotJson())
    const eventId = await add(['shop'], { body, account: 'acct_1' })
    const forward = await reaches(eventId, 'delivered')
    expect(forward.history).toMatchObject([{ number: 1, outcome: 'delivered', status: 200, answer: null }])
    const [got] = server.received
    expect(got?.body).toEqual(body)
    const signature = String(got?.headers['stripe-signature'])
    expect(Stripe.webhooks.constructEvent(body, signature, TARGET_SECRET)).toMatchObject({ object: 'event' })
    expect(got?.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'stripe-receiver-event': eventId,
      'stripe-receiver-attempt': '1',
      'stripe-receiver-account': 'acct_1',
      'stripe-receiver-hops': '1',
    })
  })

  it('sends again what failed, with a signature and a number of its own, and keeps the answers', async () => {
    const server = await startTargetServer(status(500, {}, 'out of order'))
    await start([{ url: server.url }])
    const eventId = await add(['shop'])
    const failed = await failsOnce(eventId)
    expect(failed).toMatchObject({
      reason: 'answered 500',
      history: [{ outcome: 'retried', status: 500, answer: 'out of order' }],
    })
    expect(failed.dueAt.getTime()).toBeGreaterThan(Date.now() + 5_000)
    server.answer(status(200))
    await inbox.forwards.replay('shop', [eventId], ['pending'])
    await reaches(eventId, 'delivered')
    expect(server.received.map(({ headers }) => headers['stripe-receiver-attempt'])).toEqual(['1', '2'])
    expect(await known()).toEqual(UNTRIED)
  })

  it('signs for a target that verifies with the library of Standard Webhooks', async () => {
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
    const server = await startTargetServer((response, { headers, body }) => {
      const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
      try {
        new Webhook(secret).verify(body, given)
        response.writeHead(200).end()
      } catch (error) {
        response.writeHead(400).end(String(error))
      }
    })
    await start([{ url: server.url, sign: 'standard', secrets: [secret] }], { maxAttempts: 1 })
    const eventId = await add(['shop'])
    const forward = await settled(eventId)
    expect(forward).toMatchObject({ state: 'delivered', history: [{ status: 200, answer: null }] })
    expect(server.received[0]?.headers).toMatchObject({ 'webhook-id': eventId })
    expect(server.received[0]?.headers).not.toHaveProperty('stripe-signature')
  })

  it.each([301, 302, 303, 307, 308, 400, 401, 404, 409, 422, 500, 502, 504])('sends again after %s', async (code) => {
    const elsewhere = await startTargetServer()
    const server = await startTargetServer(status(code, { Location: elsewhere.url.href }))
    await start([{ url: server.url }])
    const eventId = await add(['shop'])
    const forward = await failsOnce(eventId)
    expect(forward.history).toMatchObject([{ outcome: 'retried', status: code }])
    expect(forward.dueAt.getTime()).toBeGreaterThan(Date.now() + 5_000)
    expect([server.received.length, elsewhere.received.length]).toEqual([1, 0])
    expect(await known()).toMatchObject({ hold: null, pausedUntil: null, failures: 1 })
  })

  it('takes an answer that comes too late for none, and sends again', async () => {
    let answer = () => {}
    const server = await startTargetServer((response) => {
      answer = () => void response.writeHead(200).end()
    })
    await start([{ url: server.url, timeoutMs: 150 }])
    const eventId = await add(['shop'])
    const error = 'no answer within 150 ms (timeoutMs)'
    expect(await failsOnce(eventId)).toMatchObject({ history: [{ outcome: 'retried', status: null, error }] })
    answer()
    server.answer(status(200))
    await inbox.forwards.replay('shop', [eventId], ['pending'])
    expect(await settled(eventId)).toMatchObject({ state: 'delivered', attempts: 2 })
    expect(server.received).toHaveLength(2)
  })

  it('gives up at a final status, and after the last attempt', async () => {
    const server = await startTargetServer(status(422))
    await start(
      [
        { url: server.url, final: [422] },
        { name: 'books', url: server.url },
      ],
      { maxAttempts: 1 },
    )
    const eventId = await add(['shop', 'books'])
    expect(await reaches(eventId, 'dead')).toMatchObject({ reason: 'answered 422' })
    expect(await reaches(eventId, 'dead', 'books')).toMatchObject({ attempts: 1 })
  })

  it('takes a final status for the answer of a target that is up', async () => {
    const server = await startTargetServer(status(422))
    await inbox.forwards.writeState('shop', { ...UNTRIED, failures: 9, failingSince: Date.now() - 60_000 }, 0)
    await start([{ url: server.url, final: [422] }])
    await reaches(await add(['shop']), 'dead')
    await eventually('the failures to be forgotten', async () => (await known()).failures === 0)
    expect(await known()).toEqual(UNTRIED)
  })

  it('holds a target that answers 410, tells of it, and goes on once it is resumed', async () => {
    const server = await startTargetServer(status(410))
    const held: string[] = []
    await start([{ url: server.url, concurrency: 1 }], {
      onHeld: (target, reason) => held.push(`${target}: ${reason}`),
    })
    const [first = ''] = await addMany(5, ['shop'])
    await eventually('the hold', async () => (await known()).hold !== null)
    await eventually('its end on record', async () => (await forwardOf(first))?.history.length === 1)
    expect(held).toEqual(['shop: it answered 410'])
    expect(server.received).toHaveLength(1)
    server.answer(status(200))
    const [state] = await inbox.forwards.states()
    await inbox.forwards.writeState('shop', UNTRIED, state?.version ?? 0)
    await eventually('all to be sent', () => new Set(server.idsOf()).size === 5)
  })

  it.each([429, 503])('leaves a target alone for as long as its %s says', async (code) => {
    const server = await startTargetServer(status(code, { 'Retry-After': '3600' }))
    await start([{ url: server.url, concurrency: 1 }])
    await addMany(5, ['shop'])
    const { pausedUntil } = await eventually('the pause', async () => {
      const state = await known()
      return state.pausedUntil !== null && state
    })
    expect(pausedUntil).toBeGreaterThan(Date.now() + 3_500_000)
    await eventually('its end on record', async () => {
      const [count] = await inbox.forwards.counts()
      return count?.state === 'pending' && count.forwards === 5
    })
    expect(server.received).toHaveLength(1)
  })

  it.each([
    ['410', status(410)],
    ['a 429 that names a time', status(429, { 'Retry-After': '3600' })],
    ['a 503 that names a time', status(503, { 'Retry-After': '0' })],
    ['a stop', () => void forwarder?.stop(0)],
  ] as const)('sends again what %s put off at the last attempt, and then gives up', async (_what, answer) => {
    const server = await startTargetServer(answer)
    await start([{ url: server.url }], { maxAttempts: 1 })
    const eventId = await add(['shop'])
    await failsOnce(eventId)
    await forwarder?.stop(0)
    server.answer(status(500))
    const [state] = await inbox.forwards.states()
    if (state !== undefined) await inbox.forwards.writeState('shop', UNTRIED, state.version)
    await inbox.forwards.replay('shop', [eventId], ['pending'])
    await start([{ url: server.url }], { maxAttempts: 1 })
    expect(await settled(eventId)).toMatchObject({ state: 'dead', reason: 'answered 500', attempts: 2 })
    expect(server.received).toHaveLength(2)
  })

  it('gives up unsent what was lost at the last attempt: it may be what ends the process', async () => {
    const server = await startTargetServer()
    const eventId = await add(['shop'])
    const forwards: Inbox['forwards'] = {
      ...inbox.forwards,
      claim: async (request) => {
        const leases = await inbox.forwards.claim(request)
        return leases.map((lease) => ({ ...lease, isLastLost: true }))
      },
    }
    await inbox.forwards.claim({ wanted: [{ target: 'shop', limit: 1 }], leaseMs: 1 }).then(async ([lease]) => {
      const outcome = { state: 'pending', retryInMs: 0, error: 'x', status: null, answer: null } as const
      await inbox.forwards.settle(lease ?? expect.unreachable(), outcome)
    })
    await start([{ url: server.url }], { maxAttempts: 1, inbox: { ...inbox, forwards } })
    const reason = '1 attempts (MAX_ATTEMPTS), the last was lost'
    expect(await settled(eventId)).toMatchObject({ state: 'dead', reason })
    expect(server.received).toEqual([])
  })

  it('sends nothing while the circuit is open but one probe, whose success lets all go', async () => {
    const server = await startTargetServer()
    const now = Date.now()
    const open = { since: now - 60_000, probeAt: now - 1, probes: 0 }
    await inbox.forwards.writeState('shop', { ...UNTRIED, failures: 10, failingSince: now - 60_000, open }, 0)
    let release = () => {}
    server.answer((response) => {
      release = () => void response.writeHead(200).end()
    })
    await addMany(20, ['shop'])
    await start([{ url: server.url }])
    await eventually('the probe', () => server.received.length === 1)
    // Any other claim would be in this one: the store works in order.
    await inbox.forwards.claim({ wanted: [{ target: 'none', limit: 1 }], leaseMs: 1_000 })
    expect(server.received).toHaveLength(1)
    server.answer(status(200))
    release()
    await eventually('all to be sent', () => new Set(server.idsOf()).size === 20)
    expect(await known()).toEqual(UNTRIED)
  })

  it('sends what waits for a retry too once the circuit closes', async () => {
    const server = await startTargetServer()
    const now = Date.now()
    const open = { since: now - 60_000, probeAt: now - 1, probes: 0 }
    await inbox.forwards.writeState('shop', { ...UNTRIED, failures: 10, failingSince: now - 60_000, open }, 0)
    const waiting = await addMany(3, ['shop', 'books'])
    for (const target of ['shop', 'books']) {
      const leases = await inbox.forwards.claim({ wanted: [{ target, limit: 3 }], leaseMs: 60_000 })
      const outcome = { state: 'pending', retryInMs: 3_600_000, error: 'x', status: null, answer: null } as const
      for (const lease of leases) await inbox.forwards.settle(lease, outcome)
    }
    await add(['shop'])
    await start([{ url: server.url }, { name: 'books', url: server.url }])
    await eventually('all to be sent', () => new Set(server.idsOf()).size === 4)
    for (const eventId of waiting) expect(await reaches(eventId, 'delivered')).toMatchObject({ attempts: 2 })
    expect((await forwardOf(waiting[0] ?? '', 'books'))?.attempts).toBe(1)
  })

  it('sends no more at once than the target takes, nor for one what is for another', async () => {
    const [shop, books] = [await startTargetServer(), await startTargetServer()]
    for (const server of [shop, books])
      server.answer((response) => void setImmediate(() => response.writeHead(200).end()))
    await start([
      { url: shop.url, concurrency: 3 },
      { name: 'books', url: books.url, concurrency: 1 },
    ])
    const [both, one] = [await addMany(30, ['shop', 'books']), await addMany(30, ['shop'])]
    await eventually('all to be sent', () => shop.received.length === 60 && books.received.length === 30)
    expect(new Set(shop.idsOf())).toEqual(new Set([...both, ...one]))
    expect(new Set(books.idsOf())).toEqual(new Set(both))
    expect(shop.most()).toBeLessThanOrEqual(3)
    expect(books.most()).toBe(1)
  })

  it('gives a target its rate beside one that nothing is for, however long a claim for that one takes', async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
    let leased = 0
    const forwards: Inbox['forwards'] = {
      ...inbox.forwards,
      states: async () => [],
      settle: async () => true,
      async claim({ wanted }) {
        if (wanted.some(({ target }) => target === 'shop')) return [leaseOf(++leased)]
        // By then the next may begin.
        vi.advanceTimersByTime(150)
        return []
      },
    }
    const server = await startTargetServer(() => undefined)
    const targets = [{ url: server.url, perSecond: 10, concurrency: 16 }, { name: 'books' }]
    const startedAt = performance.now()
    await start(targets, { inbox: { ...inbox, forwards } })
    await eventually('ten to begin', () => {
      // The forwarder alone has any: time goes on only while it waits.
      if (vi.getTimerCount() > 0) vi.advanceTimersToNextTimer()
      return leased === 10
    })
    expect(performance.now() - startedAt).toBeLessThan(10 * 150 + 100)
  })

  it('lets no dead target slow another', async () => {
    const [hanging, well] = [await startTargetServer(() => undefined), await startTargetServer()]
    const dead = Array.from({ length: 10 }, (_, index) => ({ name: `dead-${index}`, url: hanging.url }))
    await start([...dead, { url: well.url }])
    const names = [...dead.map(({ name }) => name), 'shop']
    await addMany(50, names)
    await eventually('all to reach the one that is well', () => well.received.length === 50)
    expect(hanging.received.length).toBeLessThanOrEqual(80)
  })

  it('makes what a stop cuts off due at once, as one more attempt', async () => {
    const server = await startTargetServer(() => undefined)
    await start([{ url: server.url }])
    const eventId = await add(['shop'])
    await eventually('the request', () => server.received.length === 1)
    await forwarder?.stop(0)
    expect(await forwardOf(eventId)).toMatchObject({ state: 'pending', reason: expect.stringContaining('cut off') })
    server.answer(status(200))
    await start([{ url: server.url }])
    expect(await reaches(eventId, 'delivered')).toMatchObject({ attempts: 2 })
  })

  it('goes on after the store was away', async () => {
    const server = await startTargetServer()
    let failures = 2
    const { forwards } = inbox
    const flaky: typeof forwards = {
      ...forwards,
      settle: (...given) => {
        failures -= 1
        return failures >= 0 ? Promise.reject(unavailable()) : forwards.settle(...given)
      },
    }
    await start([{ url: server.url }], { inbox: { ...inbox, forwards: flaky } })
    const eventId = await add(['shop'])
    await reaches(eventId, 'delivered')
    expect(server.received).toHaveLength(1)
  })

  it('knows what it recorded where the answer of the store was lost', async () => {
    const server = await startTargetServer()
    let isLost = false
    const forwards: Inbox['forwards'] = {
      ...inbox.forwards,
      async settle(...given) {
        const isSettled = await inbox.forwards.settle(...given)
        if (isLost) return isSettled
        isLost = true
        throw unavailable()
      },
    }
    const ended: string[] = []
    const captured = await start([{ url: server.url }], {
      inbox: { ...inbox, forwards },
      onAttemptEnded: ({ target }, { state }) => ended.push(`${target}: ${state}`),
    })
    await add(['shop'])
    await eventually('it to be told of', () => ended.length > 0)
    expect(ended).toEqual(['shop: delivered'])
    expect(captured.text()).not.toContain('was lost')
  })

  it('gives up for good, with a reason, what the store refuses to record', async () => {
    const server = await startTargetServer()
    const forwards: Inbox['forwards'] = {
      ...inbox.forwards,
      settle: (lease, outcome) =>
        outcome.state === 'delivered'
          ? Promise.reject(new Error('no such column'))
          : inbox.forwards.settle(lease, outcome),
    }
    const captured = await start([{ url: server.url }], { inbox: { ...inbox, forwards } })
    const eventId = await add(['shop'])
    const reason = expect.stringContaining('could not be recorded')
    expect(await reaches(eventId, 'dead')).toMatchObject({ reason, history: [{ outcome: 'dead', error: reason }] })
    expect(server.received).toHaveLength(1)
    const told = { eventId, target: 'shop', msg: 'forward is dead; replay it once the cause is mended', reason }
    await eventually('it to be logged', () => captured.text().includes(told.msg))
    expect(captured.lines()).toContainEqual(expect.objectContaining(told))
  })
})

const leaseOf = (number: number): ForwardLease => ({
  ...{ target: 'shop', hops: 1, lane: null, attempt: 1, isLastLost: false, body: Buffer.from('{}') },
  token: `${number}:shop:0`,
  entry: { ...newEntry(), receivedAt: new Date() },
})
const unavailable = () => new ReceiverError('store_unavailable', 'away')
