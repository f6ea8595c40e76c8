import { expect, test } from 'vitest'
import { isoTime } from '../../../src/handlers/built-in/iso-time.ts'

test("reads Stripe's Unix seconds as an instant in UTC", () => {
  expect(isoTime(1_649_116_799)).toBe('2022-04-04T23:59:59.000Z')
})

test('takes zero for an instant, not for nothing', () => {
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z')
})

test.each([null, undefined])('is null for %s', (seconds) => {
  expect(isoTime(seconds)).toBeNull()
})
