import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReceiverError } from '../../src/errors.ts'
import { type Envelope, parseEnvelope } from '../../src/event/envelope.ts'
import { snapshotJson, thinJson } from '../support/sign.ts'

const payloads = new URL('../fixtures/payloads/', import.meta.url)
const readPayload = (name: string): string => readFileSync(new URL(`${name}.json`, payloads), 'utf8')

describe('the values that an event is found by', () => {
  const valuesOf = (object: unknown, ...paths: string[]) =>
    parseEnvelope(JSON.stringify({ id: 'evt_1', object: 'event', type: 'x', data: { object } }), paths).values

  it('stand at the paths, each once', () => {
    const object = { customer: 'cus_1', payer: 'cus_1', metadata: { order: '7 a' }, amount: 42, paid: false }
    expect(valuesOf(object, 'data.object.customer', 'data.object.payer', 'data.object.metadata.order')).toEqual([
      'cus_1',
      '7 a',
    ])
    expect(valuesOf(object, 'data.object.amount', 'data.object.paid')).toEqual(['42', 'false'])
    expect(valuesOf(object)).toEqual([])
  })

  it('are the ids of objects that stand there expanded', () => {
    expect(valuesOf({ customer: { id: 'cus_1', name: 'Ann' } }, 'data.object.customer')).toEqual(['cus_1'])
  })

  it.each([
    ['nothing', {}],
    ['null', { customer: null }],
    ['a list', { customer: ['cus_1'] }],
    ['an object without an id', { customer: {} }],
    ['an empty text', { customer: '' }],
    ['a long text', { customer: 'x'.repeat(256) }],
    ['what no store takes', { customer: 'a\0b' }],
    ['half a character', { customer: '\ud800' }],
  ])('are not %s', (_what, object) => {
    expect(valuesOf(object, 'data.object.customer', 'data.object.constructor.name', 'id.length')).toEqual([])
  })
})

describe('of a captured snapshot event', () => {
  it('tells what its body says, on Connect', () => {
    expect(parseEnvelope(readPayload('gitpay-payout.failed'))).toMatchObject({
      eventId: 'evt_1ChFtEAcSPl6ox0l3VSifPWa',
      type: 'payout.failed',
      shape: 'snapshot',
      account: 'acct_1CdjXFAcSPl6ox0l',
      objectId: 'po_1CgNDoAcSPl6ox0ljXdVYWx3',
      lane: 'acct_1CdjXFAcSPl6ox0l/po_1CgNDoAcSPl6ox0ljXdVYWx3',
      snapshotEventId: null,
      livemode: true,
      apiVersion: '2018-02-28',
      createdAt: new Date('2018-06-26T12:03:20.000Z'),
    })
  })

  it.each([
    // No account; a balance has no id: all of an account's share a lane; old events do not tell their mode.
    ['govukpay-balance_available', { account: null, objectId: null, lane: '/balance', livemode: null }],
    ['gitpay-balance.available', { account: null, objectId: null, lane: '/balance', livemode: true }],
    // The application that was left, and the account that left it.
    [
      'djstripe-account_application_deauthorized',
      {
        account: 'acct_1Fg9jUA3kq9o1aTc',
        objectId: 'ca_JWVN6vOJJs3RKsff0VUwIUfmUmN0VYqe',
        lane: 'acct_1Fg9jUA3kq9o1aTc/acct_1Fg9jUA3kq9o1aTc',
      },
    ],
    [
      'djstripe-account_updated_custom',
      { account: 'acct_1IuHosQveW0ONQsd', objectId: 'acct_1IuHosQveW0ONQsd', livemode: false },
    ],
    [
      'lago-2024-09-30.acacia-payment_intent_succeeded',
      { account: null, lane: '/pi_3R3dvoQ8iJWBZFaM0uu1G1rx', apiVersion: '2024-09-30.acacia' },
    ],
    ['kaspernj-payout.failed', { eventId: 'evt_00000000000000', type: 'payout.failed', apiVersion: '2018-01-23' }],
  ])('tells the facts of %s', (name, facts) => {
    expect(parseEnvelope(readPayload(name))).toMatchObject(facts)
  })

  it.each(readdirSync(payloads))('tells type, id and time of %s', (file) => {
    const text = readFileSync(new URL(file, payloads), 'utf8')
    const { id, type, created } = JSON.parse(text)
    const envelope = parseEnvelope(text)
    expect(envelope).toMatchObject({ eventId: id, type, shape: 'snapshot' })
    expect(envelope.createdAt?.getTime()).toBe(created * 1_000)
  })
})

describe('of a thin event', () => {
  it('tells what its body says', () => {
    const text = thinJson({
      id: 'evt_test_1',
      context: 'acct_1',
      related_object: { id: 'po_1', type: 'payout', url: '/' },
    })
    expect(parseEnvelope(text)).toMatchObject({
      eventId: 'evt_test_1',
      type: 'v1.payment_intent.succeeded',
      shape: 'thin',
      account: 'acct_1',
      objectId: 'po_1',
      lane: 'acct_1/po_1',
      livemode: false,
      apiVersion: null,
      createdAt: new Date('2026-01-01T00:00:00.000Z'),
    })
  })

  it.each([
    ['acct_1', 'acct_1'],
    ['acct_platform/acct_1', 'acct_1'],
    ['org_1/acct_platform/acct_1', 'acct_1'],
    ['', null],
    [null, null],
    [undefined, null],
    [{ segments: ['acct_1'] }, null],
  ])('takes the last part of the context %j for the account', (context, account) => {
    expect(parseEnvelope(thinJson({ context })).account).toBe(account)
  })

  it('has no account when the last part of the context is empty', () => {
    expect(parseEnvelope(thinJson({ context: 'acct_1/' })).account).toBeNull()
  })

  it.each([
    ['evt_1', 'evt_1'],
    ['', null],
    [null, null],
    [undefined, null],
    [{ id: 'evt_1' }, null],
  ])('takes %j for the id of its snapshot twin', (snapshot_event, snapshotEventId) => {
    expect(parseEnvelope(thinJson({ snapshot_event })).snapshotEventId).toBe(snapshotEventId)
    expect(parseEnvelope(snapshotJson({ snapshot_event })).snapshotEventId).toBeNull()
  })

  it('does without a related object', () => {
    for (const related_object of [undefined, null]) {
      const text = thinJson({ id: 'evt_alone', type: 'v2.core.event_destination.ping', related_object })
      expect(parseEnvelope(text)).toMatchObject({ objectId: null, lane: '/evt_alone' })
    }
  })

  it('names no object when the related one has no id', () => {
    const related_object = { type: 'balance', url: '/v1/balance' }
    const text = thinJson({ type: 'v1.balance.available', context: 'acct_1', related_object })
    expect(parseEnvelope(text)).toMatchObject({ objectId: null, lane: 'acct_1/balance' })
  })
})

it("prefers a snapshot's own account to its context", () => {
  expect(parseEnvelope(snapshotJson({ account: 'acct_1', context: 'org_1/acct_2' })).account).toBe('acct_1')
  expect(parseEnvelope(snapshotJson({ context: 'org_1/acct_2' })).account).toBe('acct_2')
})

it('knows the shape by `object` alone, whatever the type and the other fields', () => {
  expect(parseEnvelope(snapshotJson({ type: 'v1.payout.failed' })).shape).toBe('snapshot')
  expect(parseEnvelope(thinJson({ type: 'payout.failed', data: { object: { id: 'x' } } })).shape).toBe('thin')
})

it.each([
  ['livemode', 'true', 'livemode'],
  ['livemode', 1, 'livemode'],
  ['account', 5, 'account'],
  ['account', ['acct_1'], 'account'],
  ['api_version', null, 'apiVersion'],
  ['api_version', 2026, 'apiVersion'],
  ['created', 'not a time', 'createdAt'],
  ['created', 1e300, 'createdAt'],
  ['created', { seconds: 1 }, 'createdAt'],
  ['created', true, 'createdAt'],
  ['data', null, 'objectId'],
  ['data', 'text', 'objectId'],
  ['data', { object: [] }, 'objectId'],
  ['data', { object: { id: 7 } }, 'objectId'],
] as const)('takes an oddly typed optional field for a missing one: %s is %j', (field, value, fact) => {
  expect(parseEnvelope(snapshotJson({ [field]: value }))[fact]).toBeNull()
  const { [field]: _, ...without } = JSON.parse(snapshotJson())
  expect(parseEnvelope(JSON.stringify(without))[fact]).toBeNull()
})

describe('a body that is no event', () => {
  const refusal = (text: string): unknown => {
    try {
      return parseEnvelope(text)
    } catch (error) {
      return error
    }
  }

  it.each([
    ['nothing', ''],
    ['text', 'hello'],
    ['half an event', snapshotJson().slice(0, -1)],
    ['two events', snapshotJson() + snapshotJson()],
    ['an event after a byte order mark', `\uFEFF${snapshotJson()}`],
    ['null', 'null'],
    ['a number', '123'],
    ['a string', '"event"'],
    ['an array', `[${snapshotJson()}]`],
    ['an empty object', '{}'],
    ['another object', snapshotJson({ object: 'charge' })],
    ['an object of several kinds', snapshotJson({ object: ['event'] })],
    ['an event without an id', snapshotJson({ id: undefined })],
    ['an event with an empty id', snapshotJson({ id: '' })],
    ['an event with a number for an id', snapshotJson({ id: 5 })],
    ['an event without a type', thinJson({ type: undefined })],
    ['an event with an empty type', thinJson({ type: '' })],
    ['an event with an object for a type', thinJson({ type: {} })],
  ])('is refused as bad_payload: %s', (_name, text) => {
    expect(refusal(text)).toMatchObject({ name: 'ReceiverError', code: 'bad_payload' })
  })

  it('is refused without quoting it', () => {
    const error = refusal('{"object":"charge","email":"jenny@example.com"')
    expect(error).toBeInstanceOf(ReceiverError)
    expect(String(error)).not.toContain('jenny')
  })
})

describe('any JSON', () => {
  const optional = fc.option(fc.jsonValue(), { nil: undefined })
  const eventLike = fc.record({
    object: fc.constantFrom('event', 'v2.core.event'),
    id: fc.oneof(fc.string(), fc.jsonValue()),
    type: fc.oneof(fc.string(), fc.constantFrom('constructor', '__proto__', 'payout.failed'), fc.jsonValue()),
    account: fc.oneof(fc.string(), optional),
    context: fc.oneof(fc.string(), optional),
    created: fc.oneof(fc.double(), fc.string(), fc.date({ noInvalidDate: true }).map(String), optional),
    livemode: optional,
    api_version: optional,
    data: fc.oneof(fc.record({ object: optional }), optional),
    related_object: fc.oneof(fc.record({ id: optional, type: optional }), optional),
  })

  it('tells facts of their types or throws ReceiverError bad_payload, never anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), eventLike.map(JSON.stringify)), (text) => {
        let envelope: Envelope
        try {
          envelope = parseEnvelope(text)
        } catch (error) {
          expect(error).toMatchObject({ name: 'ReceiverError', code: 'bad_payload' })
          return
        }
        expectTypes(envelope)
      }),
      { numRuns: 2_000 },
    )
  })

  function expectTypes(envelope: Envelope): void {
    const textOrNull = (value: unknown) => value === null || typeof value === 'string'
    expect(['snapshot', 'thin']).toContain(envelope.shape)
    for (const text of [envelope.eventId, envelope.type, envelope.lane]) expect(text).toMatch(/./s)
    for (const text of [envelope.account, envelope.objectId, envelope.apiVersion]) expect(text).toSatisfy(textOrNull)
    expect([true, false, null]).toContain(envelope.livemode)
    const createdAt = envelope.createdAt?.getTime() ?? 0
    expect(createdAt).not.toBeNaN()
  }
})
