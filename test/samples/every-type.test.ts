import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseEnvelope } from '../../src/event/envelope.ts'
import { snapshotTypes, thinTypes } from '../../src/event/known-types.ts'
import type { AnyEvent, EventType, HandlerMap, NewEntry } from '../../src/event.ts'
import { buildSampleEvent, createSample } from '../../src/samples/event.ts'
import { createStripeClients } from '../../src/stripe/client.ts'
import { createDispatch } from '../../src/worker/dispatch.ts'
import { captureLog } from '../support/log-lines.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'

const types: readonly EventType[] = [...snapshotTypes, ...thinTypes]

let scratch: Awaited<ReturnType<typeof openScratchInbox>>
beforeAll(async () => {
  scratch = await openScratchInbox()
})
afterAll(() => scratch.remove())

function entryOf(body: string): NewEntry {
  const envelope = parseEnvelope(body)
  return {
    ...envelope,
    route: 'account',
    source: 'delivery',
    secret: '1:…test',
    body: Buffer.from(body),
    state: 'pending',
    reason: null,
  }
}

it('every type of the SDK reaches a handler of its own, through the envelope and the store', async () => {
  const { inbox } = scratch
  const seen = new Map<string, AnyEvent>()
  const handlerOf = (type: string) => [type, (event: AnyEvent) => void seen.set(type, event)]
  const { log } = await captureLog()
  const dispatch = createDispatch({
    // One for each type, told from the others by the key that it wrote.
    handlers: { map: Object.fromEntries(types.map(handlerOf)) as HandlerMap },
    events: createStripeClients({ apiKey: undefined, apiBase: undefined }),
    log,
    timeoutMs: 5_000,
    overrunMs: 5_000,
    onStuck: () => {},
    maxAttempts: 1,
    twins: 'both',
  })
  const bodies = types.map((type) => buildSampleEvent({ type, now: new Date() }))
  const added = await Promise.all(bodies.map((body) => inbox.add(entryOf(body))))
  expect(added).toHaveLength(types.length)
  for (;;) {
    const leases = await inbox.claim({ limit: 100, leaseMs: 60_000 })
    if (leases.length === 0) break
    await Promise.all(
      leases.map(async (lease) => {
        const { outcome } = await dispatch(lease, new AbortController().signal)
        expect(outcome, lease.entry.type).toEqual({ state: 'handled' })
        await inbox.settle(lease, outcome)
      }),
    )
  }
  expect((await inbox.counts()).handled).toBe(types.length)
  for (const [index, type] of types.entries()) {
    expect(seen.get(type), type).toMatchObject({ id: JSON.parse(bodies[index] ?? '').id, type })
  }
})

it('both events of a change have one lane, and the thin one names the snapshot event', () => {
  const place = { account: 'acct_1Twins', now: new Date() }
  for (const type of snapshotTypes) {
    const { snapshot, thin } = createSample({ type, ...place })
    if (thin === undefined) continue
    const [ofSnapshot, ofThin] = [snapshot, thin].map((event) => parseEnvelope(JSON.stringify(event)))
    expect(ofThin, type).toMatchObject({
      lane: ofSnapshot?.lane,
      snapshotEventId: ofSnapshot?.eventId,
      account: 'acct_1Twins',
    })
  }
})
