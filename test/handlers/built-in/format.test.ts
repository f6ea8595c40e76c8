import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decimalAmount, formatAmount, idOf, isoTime } from '../../../src/handlers/built-in/format.ts'

describe('formatAmount', () => {
  test.each([
    [1250, 'usd', '12.50 USD'],
    [5, 'usd', '0.05 USD'],
    [0, 'usd', '0.00 USD'],
    [-5, 'eur', '-0.05 EUR'],
    [-2448, 'brl', '-24.48 BRL'],
    [500, 'jpy', '500 JPY'],
    [0, 'jpy', '0 JPY'],
    [-500, 'jpy', '-500 JPY'],
    [5120, 'kwd', '5.120 KWD'],
    [5, 'kwd', '0.005 KWD'],
    [500, 'isk', '5.00 ISK'],
    [500, 'ugx', '5.00 UGX'],
    [1045, 'huf', '10.45 HUF'],
    [80045, 'twd', '800.45 TWD'],
    [1250, 'USD', '12.50 USD'],
    [500, 'JPY', '500 JPY'],
    [1250, 'xyz', '12.50 XYZ'],
    [99_999_999_999, 'idr', '999999999.99 IDR'],
  ])('writes %i %s as %s', (amount, currency, text) => {
    expect(formatAmount(amount, currency)).toBe(text)
  })

  test.each([
    [0, 'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'],
    [3, 'bhd jod kwd omr tnd'],
  ])("gives Stripe's currencies of %i decimals that many", (decimals, currencies) => {
    for (const currency of currencies.split(' ')) {
      expect(decimalAmount(123_456, currency).split('.')[1]?.length ?? 0, currency).toBe(decimals)
    }
  })

  test('keeps every digit of an amount', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.constantFrom('usd', 'jpy', 'kwd'), (amount, currency) => {
        expect(Number(decimalAmount(amount, currency).replace('.', ''))).toBe(amount)
      }),
    )
  })
})

describe('idOf', () => {
  test.each([
    ['an id', 'cus_1', 'cus_1'],
    ['an expanded object', { id: 'cus_1' }, 'cus_1'],
    ['null', null, null],
    ['an absent field', undefined, null],
  ])('reads %s', (_, field, id) => {
    expect(idOf(field)).toBe(id)
  })
})

describe('isoTime', () => {
  test("reads Stripe's Unix seconds as an instant in UTC", () => {
    expect(isoTime(1_649_116_799)).toBe('2022-04-04T23:59:59.000Z')
  })

  test('takes zero for an instant, not for nothing', () => {
    expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z')
  })

  test.each([null, undefined])('is null for %s', (seconds) => {
    expect(isoTime(seconds)).toBeNull()
  })
})
