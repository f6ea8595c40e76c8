import fc from 'fast-check'
import { changedBytes, type Delivery, rightDelivery, toBytes, withHeader, wrongBody } from './hostile-deliveries.ts'

const CHUNK_END = '\r\n'

/** Rightly signed, in chunks of any size, as HTTP allows them to be written. */
export const chunked: fc.Arbitrary<Buffer> = fc
  .tuple(
    rightDelivery,
    fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 20 }),
    fc.constantFrom('', ';name=value', ';name="quoted value"'),
    fc.constantFrom('', 'X-Trailer: value\r\n'),
  )
  .map(([right, sizes, extension, trailer]) => {
    const head = chunkedHead(withHeader(right, 'Content-Length', null))
    const chunks = split(right.body, sizes).map((chunk) =>
      Buffer.concat([
        Buffer.from(`${chunk.length.toString(16)}${extension}${CHUNK_END}`),
        chunk,
        Buffer.from(CHUNK_END),
      ]),
    )
    return Buffer.concat([head, ...chunks, Buffer.from(`0${CHUNK_END}${trailer}${CHUNK_END}`)])
  })

function split(body: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let rest = body
  for (const size of sizes) {
    if (rest.length === 0) return chunks
    chunks.push(rest.subarray(0, size))
    rest = rest.subarray(size)
  }
  return rest.length === 0 ? chunks : [...chunks, rest]
}

const sizeLine = fc.oneof(
  fc.constantFrom(
    '-1',
    '0x10',
    'ffffffffffffffff',
    'fffffffffffffffff',
    'g',
    '',
    ' 5',
    '5 ',
    '5;',
    '00000005',
    '+5',
    '0',
  ),
  fc.constantFrom(`5;${'x'.repeat(20_000)}`, '5;\u0000', '5\n'),
)

const chunkedHead = (right: Delivery) =>
  toBytes({ ...withHeader(right, 'Transfer-Encoding', 'chunked'), body: Buffer.alloc(0) })

/** Chunks whose sizes lie, next to a Content-Length or not. */
export const wrongChunks: fc.Arbitrary<Buffer> = fc
  .tuple(rightDelivery, sizeLine, fc.boolean())
  .map(([right, size, keepsLength]) => {
    const head = chunkedHead(keepsLength ? right : withHeader(right, 'Content-Length', null))
    const rest = `${CHUNK_END}0${CHUNK_END}${CHUNK_END}`
    return Buffer.concat([head, Buffer.from(size + CHUNK_END, 'latin1'), right.body, Buffer.from(rest)])
  })

/** A body that is proven by nothing but a trailer after it. */
export const signedInTrailer: fc.Arbitrary<Buffer> = rightDelivery.map((right) => {
  const signature = right.headers.find(([name]) => name === 'Stripe-Signature')?.[1] ?? ''
  const head = chunkedHead(withHeader(withHeader(right, 'Content-Length', null), 'Stripe-Signature', null))
  const size = `${right.body.length.toString(16)}${CHUNK_END}`
  const rest = `${CHUNK_END}0${CHUNK_END}Stripe-Signature: ${signature}${CHUNK_END}${CHUNK_END}`
  return Buffer.concat([head, Buffer.from(size), right.body, Buffer.from(rest)])
})

/** Several requests on one connection without waiting, right ones only. */
export const pipelinedRight: fc.Arbitrary<Buffer[]> = fc.array(rightDelivery.map(toBytes), {
  minLength: 2,
  maxLength: 8,
})

/** The same with wrong ones among them. */
export const pipelinedAny: fc.Arbitrary<Buffer[]> = fc.array(
  fc.oneof(rightDelivery.map(toBytes), wrongBody.map(toBytes), changedBytes, chunked, wrongChunks),
  { minLength: 2, maxLength: 6 },
)
