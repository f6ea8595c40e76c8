import { describe, expect, it } from 'vitest'
import { retryAfter } from '../src/errors.ts'

const refusal = (seconds: unknown, statusCode = 429) =>
  Object.assign(new Error('slow'), { statusCode, headers: { 'retry-after': seconds } })

describe('the time that a rate limit names', () => {
  it.each([
    ['of the error', refusal('90'), 90_000],
    ['of the cause of a cause', new Error('a', { cause: new Error('b', { cause: refusal('7') }) }), 7_000],
    ['of more than a day is a day', refusal('999999999'), 86_400_000],
  ])('%s', (_name, error, expected) => {
    expect(retryAfter(error)).toBe(expected)
  })

  it.each([
    ['an error of another status', refusal('90', 503)],
    ['no time', refusal(undefined)],
    ['an odd time', refusal('soon')],
    ['no headers', Object.assign(new Error('slow'), { statusCode: 429 })],
    ['headers that are null', Object.assign(new Error('slow'), { statusCode: 429, headers: null })],
    ['no error', { statusCode: 429, headers: { 'retry-after': '90' } }],
    ['nothing', undefined],
    [
      'what throws when it is looked at',
      Object.defineProperty(new Error('odd'), 'statusCode', {
        get() {
          throw new Error('hidden')
        },
      }),
    ],
  ])('is none in %s', (_name, error) => {
    expect(retryAfter(error)).toBeUndefined()
  })
})
