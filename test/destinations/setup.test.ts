import { describe, expect, it } from 'vitest'
import { checkClock, checkSetup } from '../../src/destinations/setup.ts'

const well = { apiKey: 'sk_test_1234567890', mode: 'any', hasSecret: true } as const

describe('the configuration by itself', () => {
  it.each([
    ['sk_test_1234567890', 'any', 'test'],
    ['rk_test_1234567890', 'test', 'test'],
    ['rk_live_1234567890', 'live', 'live'],
  ] as const)('is well with %s and mode %s', (apiKey, mode, told) => {
    const findings = checkSetup({ ...well, apiKey, mode })
    expect(findings).toMatchObject([{ severity: 'ok', message: expect.stringContaining(`${told} mode only`) }])
  })

  it('has a fault without a key', () => {
    expect(checkSetup({ ...well, apiKey: undefined })).toMatchObject([
      { severity: 'fault', check: 'api_key', mend: expect.stringContaining('Event Destinations: Read') },
    ])
  })

  it.each([
    ['sk_test_1234567890', 'live', 'a test mode key, and STRIPE_MODE is live'],
    ['rk_live_1234567890', 'test', 'a live mode key, and STRIPE_MODE is test'],
  ] as const)('has a fault with %s and mode %s', (apiKey, mode, message) => {
    const findings = checkSetup({ ...well, apiKey, mode })
    expect(findings).toMatchObject([{ severity: 'fault', check: 'api_key', message: expect.stringContaining(message) }])
    expect(JSON.stringify(findings)).not.toContain('1234567890')
  })

  it('has a fault without a secret', () => {
    expect(checkSetup({ ...well, hasSecret: false }).slice(1)).toMatchObject([{ severity: 'fault', check: 'secret' }])
  })
})

describe('the clock', () => {
  it.each([
    [0, 'ok', 'within 30 s'],
    [30_000, 'ok', 'within 30 s'],
    [-30_000, 'ok', 'within 30 s'],
    [30_500, 'fault', "31 s ahead of Stripe's"],
    [-3_600_000, 'fault', "3600 s behind Stripe's"],
  ])('that is %i ms ahead: %s', (aheadMs, severity, message) => {
    expect(checkClock(aheadMs)).toMatchObject([{ severity, message: expect.stringContaining(message) }])
  })

  it('is not told when no answer had a date', () => {
    expect(checkClock(null)).toEqual([])
  })
})
