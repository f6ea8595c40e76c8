import { createHash, timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import type { Log } from '../log.ts'
import { refuse } from './refuse.ts'

export interface AuthenticationOptions {
  readonly password: string
  readonly log: Log
  readonly now?: () => number
}

/** Wrong passwords that an address may send before each further one costs it a pause. */
const FREE_FAILURES = 10
const PAUSE_MS = 30_000
/** They are forgotten after this without another one. */
const FORGET_MS = 15 * 60_000
/** Addresses remembered: the one whose last failure is the oldest gives way. */
const MAX_ADDRESSES = 1_000

/** HTTP basic authentication: any name, which goes into the record of actions, and the one password. */
export function createAuthentication({ password, log, now = Date.now }: AuthenticationOptions): RequestHandler {
  const expected = digest(password)
  const failures = new Map<string, { count: number; lastAt: number }>()

  function fail(address: string): void {
    const count = (recall(address)?.count ?? 0) + 1
    // Goes to the end: the first is the oldest.
    failures.delete(address)
    failures.set(address, { count, lastAt: now() })
    const [oldest] = failures.keys()
    if (failures.size > MAX_ADDRESSES && oldest !== undefined) failures.delete(oldest)
    if (count % FREE_FAILURES === 0) log.warn({ address, failures: count }, 'wrong passwords for the console')
  }

  function recall(address: string) {
    const known = failures.get(address)
    return known !== undefined && now() - known.lastAt < FORGET_MS ? known : undefined
  }

  return (req, res, next) => {
    const address = req.socket.remoteAddress ?? ''
    const known = recall(address)
    const waitMs = known && known.count >= FREE_FAILURES ? known.lastAt + PAUSE_MS - now() : 0
    if (waitMs > 0) {
      res.set('Retry-After', String(Math.ceil(waitMs / 1_000)))
      return refuse(res, 429, 'Too many wrong passwords came from this address: try again in half a minute.')
    }
    const credentials = readCredentials(req)
    if (credentials !== undefined && timingSafeEqual(digest(credentials.password), expected)) {
      failures.delete(address)
      res.locals.operator = credentials.name
      return next()
    }
    if (credentials !== undefined) fail(address)
    res.set('WWW-Authenticate', 'Basic realm="stripe-webhook-receiver", charset="UTF-8"')
    refuse(res, 401, 'The console asks for a name, which may be any, and the password in CONSOLE_PASSWORD.')
  }
}

/** Who signed in, as they call themselves; for requests that passed. */
export const operatorOf = (res: Response): string => String(res.locals.operator)

const MAX_NAME = 64

function readCredentials(req: Request): { readonly name: string; readonly password: string } | undefined {
  const [, encoded] = req.get('authorization')?.match(/^basic ([\w+/=-]+)$/i) ?? []
  if (encoded === undefined) return undefined
  const [name = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  return {
    name:
      name
        .replace(/[\s\p{C}]+/gu, ' ')
        .trim()
        .slice(0, MAX_NAME) || 'nobody',
    password: rest.join(':'),
  }
}

/** Equally long whatever was typed, so that a comparison takes as long. */
const digest = (text: string) => createHash('sha256').update(text).digest()
