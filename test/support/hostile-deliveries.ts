import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { SECRET, sign, snapshotJson, thinJson } from './sign.ts'

export type Headers = readonly (readonly [string, string])[]

/** A delivery that can be made wrong in any place before it is sent. */
export interface Delivery {
  readonly requestLine: string
  readonly headers: Headers
  readonly body: Buffer
}

/** Every text that was rightly signed here: nothing else may be stored. */
export const signedTexts = new Set<string>()

/** As Stripe sends it. */
export function signedDelivery(text: string): Delivery {
  signedTexts.add(text)
  return delivery(text, sign(text, { secret: SECRET }))
}

export function delivery(text: string, signature: string): Delivery {
  return {
    requestLine: 'POST /webhook HTTP/1.1',
    headers: [
      ['Host', '127.0.0.1'],
      ['User-Agent', 'Stripe/1.0 (+https://stripe.com/docs/webhooks)'],
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Stripe-Signature', signature],
      ['Content-Length', String(Buffer.byteLength(text))],
    ],
    body: Buffer.from(text),
  }
}

/** The bytes to send; characters of headers beyond Latin-1 lose their upper bits. */
export function toBytes({ requestLine, headers, body }: Delivery): Buffer {
  const lines = [requestLine, ...headers.map(([name, value]) => `${name}: ${value}`), '', '']
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), body])
}

export function withHeader({ requestLine, headers, body }: Delivery, changed: string, value: string | null): Delivery {
  const others = headers.filter(([name]) => name !== changed)
  return { requestLine, headers: value === null ? others : [...others, [changed, value]], body }
}

const folder = new URL('../fixtures/payloads/', import.meta.url)
const captured = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))

/** Rightly signed, and as it should be. */
export const rightDelivery: fc.Arbitrary<Delivery> = fc
  .oneof(
    fc.constantFrom(...captured),
    fc.nat(9_999).map((id) => snapshotJson({ id: `evt_${id}`, note: 'Zoë 💶 \u0000 \uFFFD' })),
    fc.nat(9_999).map((id) => thinJson({ id: `evt_test_${id}` })),
  )
  .map(signedDelivery)

/** Of a length, from its start up to its end. */
export const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
export const indexAt = (length: number, where: number): number => Math.floor(length * where)

/** One change to bytes: one flipped, some taken out, put in, repeated, or the rest cut off. */
const byteChange: fc.Arbitrary<(bytes: Buffer) => Buffer> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([where, mask]) => (bytes: Buffer) => {
    const changed = Buffer.from(bytes)
    const index = indexAt(bytes.length, where)
    changed[index] = (changed[index] ?? 0) ^ mask
    return changed
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 20 })).map(([where, count]) => (bytes: Buffer) => {
    const index = indexAt(bytes.length, where)
    return Buffer.concat([bytes.subarray(0, index), bytes.subarray(index + count)])
  }),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 20 })).map(([where, added]) => (bytes: Buffer) => {
    const index = indexAt(bytes.length, where)
    return Buffer.concat([bytes.subarray(0, index), added, bytes.subarray(index)])
  }),
  fc.tuple(place, place).map(([from, to]) => (bytes: Buffer) => {
    const [start, end] = [indexAt(bytes.length, Math.min(from, to)), indexAt(bytes.length, Math.max(from, to))]
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)])
  }),
  place.map((where) => (bytes: Buffer) => bytes.subarray(0, indexAt(bytes.length, where))),
)

const changeAll = (bytes: Buffer, changes: readonly ((bytes: Buffer) => Buffer)[]) =>
  changes.reduce((changed, change) => change(changed), bytes)

/** The signature is of another body than the one that comes with it. */
export const wrongBody: fc.Arbitrary<Delivery> = fc
  .tuple(rightDelivery, fc.array(byteChange, { minLength: 1, maxLength: 3 }))
  .map(([right, changes]) => {
    const body = changeAll(right.body, changes)
    return withHeader({ ...right, body }, 'Content-Length', String(body.length))
  })
  .filter(({ body }) => !signedTexts.has(body.toString('utf8')))

/** Changed anywhere: what comes may still be right, no HTTP at all, or end too early. */
export const changedBytes: fc.Arbitrary<Buffer> = fc
  .tuple(rightDelivery, fc.array(byteChange, { minLength: 1, maxLength: 4 }))
  .map(([right, changes]) => changeAll(toBytes(right), changes))
