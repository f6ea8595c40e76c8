import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { parseDuration } from '../../operations/duration.ts'

/** Option parser for a whole number from `min` to `max`; anything else is an error that says so. */
export function wholeNumberOption(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    if (number >= min && number <= max) return number
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`)
  }
}

const ACCOUNT = /^acct_\w+$/

/** Option parser for a connected account's id. */
export function accountOption(value: string): string {
  if (ACCOUNT.test(value)) return value
  throw new InvalidArgumentError('Expected the id of a connected account, such as acct_1A2b3C4d5E6f.')
}

/** Option parser for a connected account's id, or for the context through which it is acted for. */
export function contextOption(value: string): string {
  if (value.split('/').every((part) => ACCOUNT.test(part))) return value
  throw new InvalidArgumentError(
    'Expected the id of a connected account, such as acct_1A2b3C4d5E6f, or a context such as acct_1A2b3C4d5E6f/acct_6F5e4D3c2B1a.',
  )
}

/** Option parser for an http or https URL. */
export function urlOption(value: string): URL {
  const url = URL.parse(value)
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url
  throw new InvalidArgumentError('Expected an http or https URL, such as http://127.0.0.1:4242/webhook.')
}

/** Option parser that gives a file's exact bytes. */
export function fileOption(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw new InvalidArgumentError(`Expected a file that can be read (${code}).`)
  }
}

/** Option parser for a duration such as `30m`, in milliseconds. */
export function durationOption(value: string): number {
  const milliseconds = parseDuration(value)
  if (milliseconds !== undefined) return milliseconds
  throw new InvalidArgumentError('Expected a whole number and s, m, h or d, such as 90s, 30m, 2h or 3d.')
}
