import { createHmac } from 'node:crypto'
import type { EventType } from '../../src/event.ts'
import { buildSampleEvent } from '../../src/samples/event.ts'

export const SECRET = 'whsec_bench0123456789abcdef'

/** Bytes of every body. */
const BODY_BYTES = 3_072
/** Without its prefix, as long as Stripe's. */
const ID_LENGTH = 24
const ID = 'I'.repeat(ID_LENGTH)
const CUSTOMER_ID = 'C'.repeat(ID_LENGTH)
const SIGNATURE = 'S'.repeat(64)
/** Ids that share a time part: as many as a busy account makes in a second. */
export const IDS_PER_SECOND = 5_000
/** That the payments are spread over, in no order. */
export const CUSTOMERS = 10_000

/** HTTP requests that are ready to be written to a socket, each with a body, an id and a signature of its own. */
export interface Deliveries {
  readonly count: number
  /** `index` counts from 0. */
  request(index: number): Uint8Array
  /** The body in the request of that index. */
  body(index: number): Uint8Array
}

/** Id, without prefix, of the event of a delivery and of its object, or of a customer: different for each number. */
export function idOf(number: number): string {
  // As Stripe's: what was made together sorts together, in no order. Where a new id falls in an index decides what it costs.
  // The factor is odd, so that the last part differs for all numbers.
  const time = Math.floor(number / IDS_PER_SECOND).toString(36)
  return `3${time.padStart(5, 'Q')}BenchAcct0${scatter(number).toString(16).padStart(8, '0')}`
}

const scatter = (number: number) => Math.imul(number, 0x9e3779b1) >>> 0

/**
 * 3 KB deliveries, of payment_intent.succeeded unless told otherwise, signed now. They lie in memory before the load starts (3.5 KB each), so that making
 * them costs the run nothing. `from` is the number of the first one's id, 0 unless told.
 */
export function createDeliveries(count: number, from = 0, type: EventType = 'payment_intent.succeeded'): Deliveries {
  const body = createBody(type)
  const stamp = Math.floor(Date.now() / 1_000)
  const head = createHead(body.length, stamp)
  const template = Buffer.from(head + body, 'latin1')
  const idOffsets = findAll(template, ID)
  const customerOffsets = findAll(template, CUSTOMER_ID)
  const signatureOffset = head.indexOf(SIGNATURE)
  const pool = Buffer.allocUnsafeSlow(template.length * count)
  const request = (index: number) => pool.subarray(index * template.length, (index + 1) * template.length)
  const bodyOf = (index: number) => request(index).subarray(head.length)
  for (let index = 0; index < count; index += 1) {
    const bytes = request(index)
    template.copy(bytes)
    for (const offset of idOffsets) bytes.write(idOf(from + index), offset, 'latin1')
    const customer = idOf(scatter(from + index) % CUSTOMERS)
    for (const offset of customerOffsets) bytes.write(customer, offset, 'latin1')
    const hmac = createHmac('sha256', SECRET).update(`${stamp}.`).update(bodyOf(index))
    bytes.write(hmac.digest('hex'), signatureOffset, 'latin1')
  }
  return { count, request, body: bodyOf }
}

/** Filled up with metadata to the size. */
function createBody(type: EventType): string {
  const text = buildSampleEvent({
    type,
    now: new Date(),
    createId: (prefix) => `${prefix}${prefix === 'cus_' ? CUSTOMER_ID : ID}`,
  })
  const event = JSON.parse(text)
  const withNote = (note: string) => {
    event.data.object.metadata.note = note
    return JSON.stringify(event, null, 2)
  }
  return withNote('n'.repeat(Math.max(0, BODY_BYTES - withNote('').length)))
}

// https://docs.stripe.com/webhooks: what real deliveries carry.
function createHead(bodyBytes: number, stamp: number): string {
  const lines = [
    'POST /webhook HTTP/1.1',
    'Host: 127.0.0.1',
    'User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    'Accept: */*; q=0.5, application/xml',
    'Accept-Encoding: gzip',
    'Cache-Control: no-cache',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${bodyBytes}`,
    `Stripe-Signature: t=${stamp},v1=${SIGNATURE}`,
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}

function findAll(bytes: Buffer, text: string): number[] {
  const offsets: number[] = []
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) offsets.push(at)
  return offsets
}
