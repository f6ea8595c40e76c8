import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import fc from 'fast-check'
import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { ReceiverError } from '../src/errors.ts'
import { createLog, describeError, scrub } from '../src/log.ts'
import { captureLog } from './support/log-lines.ts'
import { SECRET, sign, snapshotJson } from './support/sign.ts'

const BODY = snapshotJson({ customer_email: 'jenny@example.com' })

/** What the SDK throws over a header that does not fit the body; it carries both. */
function signatureError(): Error {
  const header = sign(BODY, { secret: 'whsec_another_secret' })
  try {
    Stripe.webhooks.constructEvent(BODY, header, SECRET)
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('expected the SDK to refuse the signature')
}

describe('describeError', () => {
  it('tells nothing of the body and the header that an SDK error carries', () => {
    const error = signatureError()
    expect(Object.values(error)).toContain(BODY)
    const described = describeError(error)
    expect(described).toMatchObject({ name: 'Error', message: expect.stringContaining('No signatures found') })
    expect(Object.keys(described).toSorted()).toEqual(['message', 'name', 'stack'])
    const text = JSON.stringify(described)
    expect(text).not.toContain('jenny@example.com')
    expect(text).not.toMatch(/v1=[0-9a-f]/)
  })

  it('tells name, message, code and stack', () => {
    const error = new ReceiverError('store_unavailable', 'The disk is full.')
    expect(describeError(error)).toEqual({
      name: 'ReceiverError',
      message: 'The disk is full.',
      code: 'store_unavailable',
      stack: expect.stringContaining('log.test.ts'),
    })
  })

  it('tells two causes, by code and message, without their secrets and other fields', () => {
    const deepest = new Error('never told')
    const inner = Object.assign(new Error('key sk_live_1a2b3c4d', { cause: deepest }), { body: 'hidden' })
    const outer = Object.assign(new Error('', { cause: inner }), { code: 'ECONNREFUSED' })
    expect(describeError(new TypeError('fetch failed', { cause: outer }))).toMatchObject({
      name: 'TypeError',
      message: 'fetch failed: ECONNREFUSED: key sk_live_[redacted]',
    })
    expect(describeError(new Error('failed', { cause: { body: 'hidden' } })).message).toBe('failed')
  })

  it('tells what a fetch that cannot connect failed for', async () => {
    const server = createServer()
    await once(server.listen(0, '127.0.0.1'), 'listening')
    // A listening TCP server's address is of this form.
    const { port } = server.address() as AddressInfo
    await once(server.close(), 'close')
    const error = await fetch(`http://127.0.0.1:${port}/`).catch((reason: unknown) => reason)
    expect(describeError(error).message).toBe(`fetch failed: ECONNREFUSED: connect ECONNREFUSED 127.0.0.1:${port}`)
  })

  it('leaves out a code that is no text, and a stack that is not there', () => {
    const error = Object.assign(new Error('failed'), {
      code: 17,
      extra: 'hidden',
    })
    delete error.stack
    expect(describeError(error)).toEqual({ name: 'Error', message: 'failed' })
  })

  it.each([
    ['a text', 'failed with whsec_1a2b3c4d', 'failed with whsec_[redacted]'],
    ['a number', 42, '42'],
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a symbol', Symbol('odd'), 'Symbol(odd)'],
    ['an object', { body: 'hidden' }, '[object Object]'],
  ])('takes %s that was thrown in place of an error', (_name, thrown, message) => {
    expect(describeError(thrown)).toEqual({ name: 'NonError', message })
  })

  it.each([
    ['an object without a prototype', Object.create(null)],
    [
      'an object whose toString throws',
      {
        toString() {
          throw new TypeError('no text')
        },
      },
    ],
    ['an error whose message is an object', Object.assign(new Error('odd'), { message: { body: 'hidden' } })],
    ['an error whose stack is a number', Object.assign(new Error('odd'), { stack: 5 })],
    ['an error whose name is an object', Object.assign(new Error('odd'), { name: { body: 'hidden' } })],
    ['an error whose name holds a key', Object.assign(new Error('odd'), { name: 'hidden sk_live_hidden12' })],
  ])('tells texts without a secret, and throws nothing, over %s', (_name, thrown) => {
    const described = describeError(thrown)
    for (const text of Object.values(described)) expect(text).toBeTypeOf('string')
    expect(JSON.stringify(described)).not.toMatch(/"hidden"|hidden12/)
  })

  it('scrubs every text of an error', () => {
    const error = Object.assign(new Error('key sk_live_1234abcd'), { code: 'whsec_1a2b3c4d' })
    expect(JSON.stringify(describeError(error))).not.toMatch(/1234abcd|1a2b3c4d/)
  })
})

describe('scrub', () => {
  it.each([
    ['a signing secret', 'got whsec_Ab12+/=- here', 'got whsec_[redacted] here'],
    ['several secrets', 'whsec_12345678,whsec_abcdefgh', 'whsec_[redacted],whsec_[redacted]'],
    ['a secret key', 'Bearer sk_live_12345678', 'Bearer sk_live_[redacted]'],
    ['a restricted key', "'rk_test_12345678'", "'rk_test_[redacted]'"],
    ['a key without a mode', 'sk_12345678', 'sk_[redacted]'],
    ['a signature', `t=1700000000,v1=${'ab'.repeat(32)}`, 't=1700000000,v1=[redacted]'],
    ['all signatures', `v1=${'a'.repeat(64)},v0=${'B'.repeat(64)}`, 'v1=[redacted],v0=[redacted]'],
    [
      'a signature of Standard Webhooks',
      `v1,${'aB+/'.repeat(10)}aB0= v1,${'C'.repeat(43)}=`,
      'v1,[redacted] v1,[redacted]',
    ],
    ['user and password of a URL', 'no postgres://u:p/w?x#y@z@h:5432/db', 'no postgres://[redacted]@h:5432/db'],
    ['a password without a user', 'redis://:pw@h', 'redis://[redacted]@h'],
  ])('takes %s out', (_name, text, scrubbed) => {
    expect(scrub(text)).toBe(scrubbed)
  })

  it('keeps what is no secret, ids of Stripe among it', () => {
    const text =
      'No such payout: po_1A2b3C4d5E6f (acct_1A2b3C4d5E6f, evt_1A2b3C4d, pk_test_1234), disk_full, task_42, v1=x, v1,x, http://h:80/a, a@b:c@d'
    expect(scrub(text)).toBe(text)
  })

  it('leaves no secret in any text', () => {
    const secret = fc.constantFrom('whsec_SeCrEt12345678', 'sk_live_SeCrEt12345678', 'rk_test_SeCrEt12345678')
    // What is stuck to a secret without a break is no text that anyone writes.
    const around = fc.string({ maxLength: 60 }).map((text) => text.replace(/\w$/, '.').replace(/^\w/, '.'))
    fc.assert(
      fc.property(fc.array(fc.tuple(around, secret), { maxLength: 200 }), (parts) => {
        expect(scrub(parts.flat().join(''))).not.toContain('SeCrEt')
      }),
    )
  })

  it('bounds the length, and leaves no part of a secret at the cut', () => {
    expect(scrub('x'.repeat(1_000_000)).length).toBeLessThanOrEqual(2_000)
    for (let before = 1_970; before < 2_000; before += 1) {
      expect(scrub(`${' '.repeat(before)}whsec_abcdefgh12345678`)).not.toMatch(/whsec_[a-h]/)
    }
  })
})

describe('the log', () => {
  it('writes one JSON line a call, with level, ISO time and message, and nothing of the host', async () => {
    const { log, text } = await captureLog('info')
    log.info({ eventId: 'evt_1', attempt: 2 }, 'event handled')
    expect(text()).toMatch(/^\{.*\}\n$/)
    const line = JSON.parse(text())
    expect(line).toEqual({ level: 30, time: expect.any(String), eventId: 'evt_1', attempt: 2, msg: 'event handled' })
    expect(new Date(line.time).toISOString()).toBe(line.time)
  })

  it('describes what stands under `err` as describeError does', async () => {
    const { log, lines, text } = await captureLog()
    const error = signatureError()
    log.error({ err: error }, 'request failed unexpectedly')
    log.error({ err: 'no error at all' }, 'odd')
    expect(lines()[0]?.err).toEqual(describeError(error))
    expect(lines()[1]?.err).toEqual({ name: 'NonError', message: 'no error at all' })
    expect(text()).not.toContain('jenny@example.com')
  })

  it('describes it on a child logger too', async () => {
    const { log, text } = await captureLog()
    log.child({ eventId: 'evt_1' }).warn({ err: signatureError() }, 'odd')
    expect(text()).toContain('"eventId":"evt_1"')
    expect(text()).not.toContain('jenny@example.com')
  })

  it('writes only from its level on', async () => {
    const { log, lines } = await captureLog('warn')
    log.info('too low')
    log.warn('high enough')
    expect(lines().map(({ msg }) => msg)).toEqual(['high enough'])
  })

  it('writes nothing when it is silent', async () => {
    const written: string[] = []
    const log = await createLog('silent', { write: (line: string) => void written.push(line) })
    log.fatal('not even this')
    expect(written).toEqual([])
  })
})
