import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DemoDelivery, planDemo } from '../../../src/cli/demo/plan.ts'
import { checkDelivery, checkInbox } from '../../../src/cli/demo/results.ts'
import { parseEnvelope } from '../../../src/event/envelope.ts'
import type { NewEntry, Outcome } from '../../../src/event.ts'
import type { Answer } from '../../../src/samples/send.ts'
import { newEntry } from '../../support/new-entry.ts'
import { openScratchInbox } from '../../support/scratch-inbox.ts'

let store: Awaited<ReturnType<typeof openScratchInbox>>
beforeEach(async () => {
  store = await openScratchInbox()
})
afterEach(() => store.remove())

const plan = planDemo(new Date())
function planned(kind: DemoDelivery['kind']): DemoDelivery {
  const delivery = plan.find((candidate) => candidate.kind === kind)
  if (delivery === undefined) throw new Error(`the demo plans no ${kind}`)
  return delivery
}
const event = planned('event')
const forged = planned('forged')
const ok: Answer = { status: 200, code: undefined }
const refused: Answer = { status: 400, code: 'signature_mismatch' }

async function keep({ body, route }: DemoDelivery, overrides: Partial<NewEntry> = {}): Promise<void> {
  await store.inbox.add(newEntry({ ...parseEnvelope(body), route, body: Buffer.from(body), ...overrides }))
}

async function attempt(outcome: Outcome): Promise<void> {
  const [lease] = await store.inbox.claim({ limit: 1, leaseMs: 60_000 })
  if (lease === undefined) throw new Error('nothing is due')
  await store.inbox.settle(lease, outcome)
}

async function keepHandled(delivery: DemoDelivery, overrides: Partial<NewEntry> = {}): Promise<void> {
  await keep(delivery, overrides)
  await attempt({ state: 'handled' })
}

const check = (delivery: DemoDelivery, answer: Answer) => checkDelivery(store.inbox, [], delivery, answer)
const faultsOf = async (delivery: DemoDelivery, answer: Answer) => (await check(delivery, answer)).faults

describe('a delivery of the demo', () => {
  it('has no fault when it ended as planned', async () => {
    await keepHandled(event)
    expect(await check(event, ok)).toMatchObject({ answer: 200, state: 'handled', faults: [] })
    expect(await check(forged, refused)).toMatchObject({ answer: 400, state: null, faults: [] })
  })

  it.each([
    ['another status', refused, 'expected the answer 200, got 400'],
    ['no answer', { failure: 'ECONNREFUSED' }, 'expected the answer 200, got ECONNREFUSED'],
  ])('is at fault over %s', async (_name, answer, fault) => {
    await keepHandled(event)
    expect(await faultsOf(event, answer)).toEqual([fault])
  })

  it.each<[Outcome]>([
    [{ state: 'dead', error: 'a bug' }],
    [{ state: 'unhandled' }],
    [{ state: 'pending', retryInMs: 60_000, error: 'a bug' }],
  ])('is at fault over another state: %j', async (outcome) => {
    await keep(event)
    await attempt(outcome)
    expect(await faultsOf(event, ok)).toEqual([`expected handled, got ${outcome.state}`])
  })

  it('is at fault when it is missing', async () => {
    expect(await check(event, ok)).toMatchObject({ state: null, faults: ['expected handled, got nothing stored'] })
  })

  it('is at fault when it was forged and taken all the same', async () => {
    await keepHandled(forged)
    expect(await faultsOf(forged, ok)).toEqual([
      'expected the answer 400, got 200',
      'expected nothing stored, got handled',
    ])
  })

  it.each<[string, Partial<NewEntry>, string]>([
    ['body', { body: Buffer.from(`${event.body} `) }, 'the stored body is not the one that was sent'],
    ['route', { route: 'connect' }, 'expected the account route, got connect'],
    ['shape', { shape: 'thin' }, 'expected a snapshot event, got thin'],
  ])('is at fault over another %s', async (_name, overrides, fault) => {
    await keepHandled(event, overrides)
    expect(await faultsOf(event, ok)).toEqual([fault])
  })

  it('is at fault when it took two attempts', async () => {
    await keep(event)
    await attempt({ state: 'pending', retryInMs: 0, error: 'a bug' })
    await attempt({ state: 'handled' })
    expect(await faultsOf(event, ok)).toEqual(['expected one attempt, got 2'])
  })
})

describe("the demo's inbox", () => {
  const checkAll = async () => checkInbox(store.inbox, [await check(event, ok), await check(forged, refused)])

  it('has no fault with what was to be stored', async () => {
    await keep(event)
    expect(await checkAll()).toEqual([])
  })

  it('is at fault over an entry too few, or too many', async () => {
    expect(await checkAll()).toEqual(['expected 1 entries in the inbox, got 0'])
    await keep(event)
    await keep(forged)
    expect(await checkAll()).toEqual(['expected 1 entries in the inbox, got 2'])
  })
})
