import { describe, expect, it } from 'vitest'
import {
  type Choice,
  type FilterWord,
  filterWordNames,
  isEverything,
  readChoice,
  readPastChoice,
  readWord,
  toCommand,
  toFields,
  toFilter,
} from '../../src/operations/filter.ts'

const now = new Date('2026-11-21T12:00:00Z')

const samples: Readonly<Record<FilterWord, readonly [string, object]>> = {
  state: ['dead,parked', { states: ['dead', 'parked'] }],
  type: ['payment_intent.*', { type: 'payment_intent.*' }],
  account: ['acct_1', { account: 'acct_1' }],
  object: ['pi_1', { objectId: 'pi_1' }],
  id: ['evt_1', { eventId: 'evt_1' }],
  value: ['cus_1', { value: 'cus_1' }],
  shape: ['thin', { shape: 'thin' }],
  source: ['reconcile', { source: 'reconcile' }],
  reason: ["can't & won't", { reason: "can't & won't" }],
  since: ['2h', { receivedWithinMs: 7_200_000 }],
  until: ['2026-11-21T11:59', { receivedBeforeMs: 60_000 }],
}
const whole: Choice = Object.fromEntries(filterWordNames.map((word) => [word, samples[word][0]]))

describe('a choice of entries', () => {
  it('becomes the filter that its words say', () => {
    for (const word of filterWordNames) expect(readWord(word, samples[word][0], now), word).toEqual(samples[word][1])
    expect(toFilter(whole, now)).toEqual(Object.assign({}, ...Object.values(samples).map(([, filter]) => filter)))
    expect(toFilter({}, now)).toEqual({})
  })

  it('goes into an address and back', () => {
    const address = toFields(whole).toString()
    expect(readChoice(new URLSearchParams(address))).toEqual({ choice: whole, faults: [] })
    expect(toFields({}).toString()).toBe('')
  })

  it('takes several fields for one, and empty ones for none', () => {
    const { choice } = readChoice(new URLSearchParams('state=dead&state=parked&type=&account=+&foreign=1'))
    expect(choice).toEqual({ state: 'dead,parked' })
    expect(isEverything(choice)).toBe(false)
    expect(isEverything(readChoice(new URLSearchParams('type=&foreign=1')).choice)).toBe(true)
  })

  it('is a command that chooses the same, in a shell', () => {
    expect(toCommand('list', {})).toBe('npm run events -- list')
    expect(toCommand('replay', { type: 'payout.*', state: 'dead', reason: "it's $HOME" })).toBe(
      "npm run events -- replay --state dead --type 'payout.*' --reason 'it'\\''s $HOME'",
    )
  })

  it.each([
    ['state', ['dead,', 'Dead', 'lost']],
    ['type', ['a b', 'a,b']],
    ['account', ['cus_1', 'acct_', 'acct_1 ']],
    ['object', ['pi 1']],
    ['id', ['evt 1']],
    ['shape', ['Thin']],
    ['source', ['stripe']],
    ['reason', [' ', 'two\nlines']],
    [
      'since',
      ['0h', '2', '2w', '-1h', 'yesterday', '2026-13-01', '2026-11-22', '2026-11-21T12:00:01Z', '2026-11-21 10:00'],
    ],
    ['until', ['1.5h', '2026-11-21T13:30+01:00']],
  ] as const)('has no %s of another form', (word, texts) => {
    for (const text of texts) expect(readWord(word, text, now), text).toBeUndefined()
    expect(readChoice(new URLSearchParams([[word, texts[0]]]))).toEqual(
      texts[0].trim() === '' ? { choice: {}, faults: [] } : { choice: {}, faults: [word] },
    )
  })

  it.each([
    ['2026-11-21', 12 * 3_600_000],
    ['2026-11-21T11:00', 3_600_000],
    ['2026-11-21T11:00:00.5Z', 3_599_500],
    ['2026-11-21T12:30+01:00', 1_800_000],
    ['90s', 90_000],
  ])('counts the age of %s from now, in UTC', (text, ageMs) => {
    expect(readWord('since', text, now)).toEqual({ receivedWithinMs: ageMs })
  })
})

it('a choice of the past has instants in place of ages', () => {
  const at = new Date('2026-11-21T12:00:00.000Z')
  expect(readPastChoice('type=payout.*&since=2h&until=2026-11-21T11:30Z', at)).toEqual({
    type: 'payout.*',
    since: '2026-11-21T10:00:00.000Z',
    until: '2026-11-21T11:30:00.000Z',
  })
  expect(readPastChoice('state=dead', at)).toEqual({ state: 'dead' })
})
