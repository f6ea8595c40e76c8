import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type SignedDelivery, verifySignature } from '../../src/http/verify-signature.ts'

const SECRET = 'whsec_account_secret_1'
const OLD_SECRET = 'whsec_account_secret_0'
const NOW_SECONDS = 1_800_000_000
const TEXT = '{"id":"evt_1","object":"event","note":"Zoë 💶"}'

/** By the definition of a signature, not by the SDK. */
const macOf = (stamp: number | string, text = TEXT, secret = SECRET): string =>
  createHmac('sha256', secret).update(`${stamp}.${text}`, 'utf8').digest('hex')
const headerOf = (stamp = NOW_SECONDS, text = TEXT, secret = SECRET): string =>
  `t=${stamp},v1=${macOf(stamp, text, secret)}`

const verify = (overrides: Partial<SignedDelivery> = {}): string =>
  verifySignature({
    text: TEXT,
    header: headerOf(),
    secrets: [SECRET],
    toleranceSeconds: 300,
    now: new Date(NOW_SECONDS * 1_000),
    ...overrides,
  })

/** Code of the refusal; a text that names a secret's mark when it was accepted. */
function judge(overrides: Partial<SignedDelivery>): string {
  try {
    return `accepted by ${verify(overrides)}`
  } catch (error) {
    expect(error).toMatchObject({ name: 'ReceiverError', message: expect.stringMatching(/\.$/) })
    return String(Object(error).code)
  }
}

describe('a good signature', () => {
  it('tells which secret made it, by position and last four characters', () => {
    expect(verify()).toBe('1:…et_1')
    const secrets = ['whsec_new_secret_2', OLD_SECRET, SECRET]
    expect(verify({ secrets })).toBe('3:…et_1')
    expect(verify({ secrets, header: headerOf(NOW_SECONDS, TEXT, OLD_SECRET) })).toBe('2:…et_0')
  })

  it('counts at any place among others, as while a secret is rolled', () => {
    const [good, other] = [macOf(NOW_SECONDS), macOf(NOW_SECONDS, TEXT, OLD_SECRET)]
    for (const signatures of [`v1=${good},v1=${other}`, `v1=${other},v1=${good}`, `v0=${other},v1=${good}`]) {
      expect(verify({ header: `t=${NOW_SECONDS},${signatures}` })).toBe('1:…et_1')
    }
  })

  it('counts for the exact text only, down to a blank or a line break', () => {
    for (const text of [`${TEXT} `, `${TEXT}\n`, ` ${TEXT}`, TEXT.replace(',', ', '), TEXT.normalize('NFD'), 'x']) {
      expect(judge({ text })).toBe('signature_mismatch')
      expect(judge({ text, header: headerOf(NOW_SECONDS, text) })).toBe('accepted by 1:…et_1')
    }
  })
})

describe('the time in a signature', () => {
  const judgeAge = (ageSeconds: number, overrides: Partial<SignedDelivery> = {}) =>
    judge({ header: headerOf(NOW_SECONDS - ageSeconds), ...overrides })

  it.each([
    [0, 'accepted by 1:…et_1'],
    [300, 'accepted by 1:…et_1'],
    [301, 'timestamp_too_old'],
    [86_400 * 365, 'timestamp_too_old'],
    [-300, 'accepted by 1:…et_1'],
    [-301, 'timestamp_in_future'],
    [-86_400 * 365, 'timestamp_in_future'],
  ])('is %i s ago: %s', (ageSeconds, verdict) => {
    expect(judgeAge(ageSeconds)).toBe(verdict)
  })

  it('is judged by the given clock and tolerance, in whole seconds', () => {
    expect(judgeAge(11, { toleranceSeconds: 10 })).toBe('timestamp_too_old')
    expect(judgeAge(-11, { toleranceSeconds: 10 })).toBe('timestamp_in_future')
    expect(judgeAge(10, { toleranceSeconds: 10, now: new Date(NOW_SECONDS * 1_000 + 999) })).toBe('accepted by 1:…et_1')
    expect(judgeAge(10, { toleranceSeconds: 10, now: new Date(NOW_SECONDS * 1_000 + 1_000) })).toBe('timestamp_too_old')
  })

  it('is the one that was signed, of several the last', () => {
    const stale = NOW_SECONDS - 1_000
    expect(judge({ header: `t=${NOW_SECONDS},t=${stale},v1=${macOf(stale)}` })).toBe('timestamp_too_old')
    expect(judge({ header: `t=${stale},t=${NOW_SECONDS},v1=${macOf(stale)}` })).toBe('signature_mismatch')
    expect(judge({ header: `t=${stale},t=${NOW_SECONDS},v1=${macOf(NOW_SECONDS)}` })).toBe('accepted by 1:…et_1')
  })

  it('is refused when it is no number, even one that was signed', () => {
    expect(judge({ header: `t=NaN,v1=${macOf('NaN')}` })).toBe('timestamp_too_old')
  })

  it('is told only to who signed: a forged old one is a mismatch', () => {
    expect(judge({ header: `t=${NOW_SECONDS - 1_000},v1=${'0'.repeat(64)}` })).toBe('signature_mismatch')
  })
})

describe('a header that proves nothing', () => {
  const mac = macOf(NOW_SECONDS)

  it.each([
    ['a missing one', undefined, 'signature_missing'],
    ['an empty one', '', 'signature_missing'],
    ['garbage', 'garbage', 'signature_malformed'],
    ['one without a time', `v1=${mac}`, 'signature_malformed'],
    ['one with a blank before the time', ` t=${NOW_SECONDS},v1=${mac}`, 'signature_malformed'],
    ['one with an empty time', `t=,v1=${mac}`, 'signature_malformed'],
    ['one with a time only', `t=${NOW_SECONDS}`, 'signature_malformed'],
    ['one with v0 only', `t=${NOW_SECONDS},v0=${mac}`, 'signature_malformed'],
    ['one with a blank before v1', `t=${NOW_SECONDS}, v1=${mac}`, 'signature_malformed'],
    ['a wrong signature', `t=${NOW_SECONDS},v1=${'0'.repeat(64)}`, 'signature_mismatch'],
    ['a signature in capitals', `t=${NOW_SECONDS},v1=${mac.toUpperCase()}`, 'signature_mismatch'],
    ['a signature cut short', `t=${NOW_SECONDS},v1=${mac.slice(0, -1)}`, 'signature_mismatch'],
    ['a signature with a blank after it', `t=${NOW_SECONDS},v1=${mac} `, 'signature_mismatch'],
    ['an empty signature', `t=${NOW_SECONDS},v1=`, 'signature_mismatch'],
    ['v1 without a value', `t=${NOW_SECONDS},v1`, 'signature_mismatch'],
    ['64 letters beyond ASCII', `t=${NOW_SECONDS},v1=${'é'.repeat(64)}`, 'signature_mismatch'],
    ['a signature by another secret', headerOf(NOW_SECONDS, TEXT, OLD_SECRET), 'signature_mismatch'],
    ['one of another text', headerOf(NOW_SECONDS, 'other'), 'signature_mismatch'],
    ['one of another time', `t=${NOW_SECONDS - 1},v1=${mac}`, 'signature_mismatch'],
  ])('is refused: %s', (_name, header, code) => {
    expect(judge({ header })).toBe(code)
  })

  it('is refused over an empty body, also when that was signed', () => {
    expect(judge({ text: '', header: headerOf(NOW_SECONDS, '') })).toBe('signature_mismatch')
  })
})

it('refuses everything on a route without a secret', () => {
  expect(judge({ secrets: [] })).toBe('secret_not_configured')
  expect(judge({ secrets: [], header: undefined })).toBe('secret_not_configured')
})

it('tells operators neither secrets, nor header, nor body', () => {
  for (const header of [undefined, 'garbage', `t=${NOW_SECONDS},v1=${'ab'.repeat(32)}`, headerOf(5), headerOf(9e9)]) {
    expect(() => verify({ header })).toThrow()
    try {
      verify({ header })
    } catch (error) {
      const told = JSON.stringify({ ...Object(error), message: String(error), cause: Object(error).cause })
      for (const hidden of ['account_secret', 'abab', 'evt_1', 'garbage']) expect(told).not.toContain(hidden)
    }
  }
})

describe('whatever comes', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.constant(TEXT))
  const stamp = fc.oneof(fc.integer({ min: NOW_SECONDS - 400, max: NOW_SECONDS + 400 }), fc.integer(), fc.double())
  const mac = fc.oneof(
    fc.constantFrom(macOf(NOW_SECONDS), macOf(NOW_SECONDS, TEXT, OLD_SECRET), macOf(1), ''),
    fc.string({ unit: 'binary', minLength: 64, maxLength: 64 }),
    fc.string(),
  )
  const item = fc.oneof(
    stamp.map((seconds) => `t=${seconds}`),
    fc.tuple(fc.constantFrom('v1=', 'v0=', ' v1=', 'v1', 'V1=', 't='), mac).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  )
  const built = fc.array(item, { maxLength: 6 }).map((items) => items.join(','))
  /** A header that was good until one character of it was put in, taken out or changed. */
  const mutated = fc
    .tuple(fc.nat({ max: 100 }), fc.nat({ max: 1 }), fc.constantFrom('', ',', '=', '0', 'f', ' ', 't', 'é', '\u0000'))
    .map(([at, removed, put]) => headerOf().slice(0, at) + put + headerOf().slice(at + removed))
  const header = fc.oneof(
    fc.constant(headerOf()),
    fc.constant(undefined),
    fc.string({ unit: 'binary' }),
    built,
    mutated,
  )

  it('throws nothing but a ReceiverError, and accepts only what was signed within the tolerance', () => {
    let accepted = 0
    fc.assert(
      fc.property(text, header, (anyText, anyHeader) => {
        const verdict = judge({ text: anyText, header: anyHeader, secrets: [SECRET, OLD_SECRET] })
        if (verdict.startsWith('accepted')) accepted += 1
        expect(verdict.startsWith('accepted')).toBe(isProven(anyText, anyHeader ?? ''))
      }),
      { numRuns: 5_000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  /** The rule in Stripe's own words: some v1 is the HMAC of the last time and the text, and the time is near. */
  function isProven(anyText: string, anyHeader: string): boolean {
    const items = anyHeader.split(',').map((entry) => entry.split('='))
    const seconds = Number.parseInt(items.findLast(([name]) => name === 't')?.[1] ?? '', 10)
    const given = items.filter(([name]) => name === 'v1').map(([, value]) => value)
    const expected = [macOf(seconds, anyText), macOf(seconds, anyText, OLD_SECRET)]
    return expected.some((good) => given.includes(good)) && Math.abs(NOW_SECONDS - seconds) <= 300
  }
})
