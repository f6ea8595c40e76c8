import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dashboardUrl } from '../../src/console/dashboard.ts'
import { mends } from '../../src/console/refusals.ts'
import { countNames, describeWait, type Minute, toPoints } from '../../src/console/tally.ts'
import { WAIT_LIMITS_MS } from '../../src/inbox/figures.ts'

const at = (text: string) => new Date(`2026-11-21T${text}Z`)
const minute = (facts: Partial<Minute>): Minute => ({
  ...{ at: at('10:00:00'), accepted: 0, handled: 0, failed: 0, waits: [], refused: {}, proven: {}, versions: {} },
  ...facts,
})

describe('figures', () => {
  it('tell of each name how often it was counted, and when last', () => {
    const minutes = [
      minute({ proven: { 'account 1:…abcd': 5, 'account 2:…efgh': 7 } }),
      minute({ at: at('10:01:00'), proven: { 'account 1:…abcd': 3 } }),
    ]
    expect(countNames(minutes, 'proven')).toEqual([
      { name: 'account 1:…abcd', count: 8, lastAt: at('10:01:00') },
      { name: 'account 2:…efgh', count: 7, lastAt: at('10:00:00') },
    ])
    expect(countNames(minutes, 'refused')).toEqual([])
  })

  it('tell within which time a share was handled', () => {
    const waits = WAIT_LIMITS_MS.map(() => 0)
    waits[2] = 98
    const minutes = [minute({ waits }), minute({ waits: [...WAIT_LIMITS_MS.map(() => 0), 2] })]
    expect(describeWait(minutes, 0.5)).toBe('≤ 5 ms')
    expect(describeWait(minutes, 0.98)).toBe('≤ 5 ms')
    expect(describeWait(minutes, 0.99)).toBe('over 60 min')
    expect(describeWait([minute({})], 0.5)).toBe('–')
  })

  it('become a point for each step of the time, per minute', () => {
    const now = at('10:30:30').getTime()
    const minutes = [
      minute({ at: at('10:15:10'), accepted: 30, handled: 3 }),
      minute({ at: at('10:29:00'), accepted: 15, failed: 1 }),
      minute({ at: at('09:00:00'), accepted: 1_000 }),
    ]
    const points = toPoints(minutes, 30 * 60_000, 15 * 60_000, now)
    expect(points).toEqual([
      { at: at('10:00:00'), accepted: 0, handled: 0, failed: 0 },
      { at: at('10:15:00'), accepted: 3, handled: 0.2, failed: 0.1 },
      { at: at('10:30:00'), accepted: 0, handled: 0, failed: 0 },
    ])
  })
})

it('what to do about a refusal is what the documentation says', () => {
  const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
  const [, section = ''] = page.split('## On a bad day')
  const rows = Array.from(section.matchAll(/^\| (`.*?) +\| (.*?) +\|$/gm), ([, codes = '', mend = '']) => ({
    codes,
    mend,
  }))
  const told = rows.flatMap(({ codes, mend }) => codes.split(', ').map((code) => [code.replaceAll('`', ''), mend]))
  expect(Object.fromEntries(told)).toEqual(mends)
})

it.each([
  ['pi_1', null, true, 'payments/pi_1'],
  ['cus_1', null, false, 'test/customers/cus_1'],
  ['po_1', 'acct_1', false, 'acct_1/test/payouts/po_1'],
  ['evt_1', 'acct_1', null, 'acct_1/events/evt_1'],
  ['tok_1', null, true, 'search?query=tok_1'],
  ['pi_1/../../x?y', 'acct_"><', false, 'acct_%22%3E%3C/test/search?query=pi_1%2F..%2F..%2Fx%3Fy'],
  ['pi\ud800', null, true, 'search?query=pi%EF%BF%BD'],
])('%s of account %s in live mode %s is in the Dashboard at %s', (id, account, livemode, path) => {
  expect(dashboardUrl(id, { account, livemode })).toBe(`https://dashboard.stripe.com/${path}`)
})
