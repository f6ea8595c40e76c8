import fc from 'fast-check'
import { type Delivery, delivery, type Headers, indexAt, place, rightDelivery, toBytes } from './hostile-deliveries.ts'
import { SECRET, sign, snapshotJson } from './sign.ts'

const oddValue = fc.oneof(
  fc.constantFrom('', ' ', '0', '-1', '+5', '1e3', '0x10', '99999999999999999999', '5, 5', ',,,', '=', 'é', '\u0000'),
  fc.constantFrom('gzip', 'br', 'identity', 'chunked', 'gzip, chunked', 'chunked, chunked', 'xchunked', 'close'),
  fc.constantFrom('100-continue', '200-ok', 'h2c', 'upgrade', 'text/html; charset=utf-16', 'multipart/form-data'),
  fc.constantFrom('a\r\nInjected: yes', 'a\nInjected: yes', 'a\r b', 'a\r\n folded', '\t', '()<>@,;:\\"/[]?={}'),
  fc.constantFrom(4_000, 16_000, 17_000, 100_000).map((length) => 'x'.repeat(length)),
  fc.string({ unit: 'binary', maxLength: 60 }),
)
const oddName = fc.oneof(
  fc.constantFrom('Content-Length', 'Transfer-Encoding', 'Content-Encoding', 'Content-Type', 'Expect', 'Connection'),
  fc.constantFrom('Upgrade', 'Host', 'Stripe-Signature', 'stripe-signature', 'Trailer', 'TE', 'Cookie', 'Keep-Alive'),
  fc.constantFrom(
    'HTTP2-Settings',
    'X-Forwarded-For',
    'Content-Range',
    '__proto__',
    'constructor',
    '',
    ' ',
    'a b',
    ':',
  ),
  fc.string({ unit: 'binary', maxLength: 10 }),
)
const oddHeader: fc.Arbitrary<readonly [string, string]> = fc.tuple(oddName, oddValue)

const headerChange: fc.Arbitrary<(headers: Headers) => Headers> = fc.oneof(
  oddHeader.map(
    (added) =>
      (headers: Headers): Headers => [added, ...headers],
  ),
  oddHeader.map(
    (added) =>
      (headers: Headers): Headers => [...headers, added],
  ),
  place.map(
    (where) =>
      (headers: Headers): Headers =>
        headers.toSpliced(indexAt(headers.length, where), 1),
  ),
  place.map(
    (where) =>
      (headers: Headers): Headers => [...headers, ...headers.slice(indexAt(headers.length, where))],
  ),
  fc.tuple(place, oddValue).map(([where, value]) => (headers: Headers): Headers => {
    const changed = indexAt(headers.length, where)
    return headers.map(([name, kept], index) => [name, index === changed ? value : kept])
  }),
  fc.constantFrom(
    (headers: Headers): Headers => headers.toReversed(),
    (headers: Headers): Headers => headers.map(([name, value]) => [name.toUpperCase(), value]),
  ),
)

/** Headers doubled, moved, left out, or odd. */
export const oddHeaders: fc.Arbitrary<Buffer> = fc
  .tuple(rightDelivery, fc.array(headerChange, { minLength: 1, maxLength: 4 }))
  .map(([right, changes]) =>
    toBytes({ ...right, headers: changes.reduce((headers, change) => change(headers), right.headers) }),
  )

const target = fc.oneof(
  fc.constantFrom('/webhook?x=1', '//webhook', '/webhook/', '/WEBHOOK', '/webhook/connect/../', '/%77ebhook', '*', '/'),
  fc.constantFrom(
    'http://other/webhook',
    'http://[::1/webhook',
    'https://a:b@h:999999/webhook',
    'http://a:b:c/webhook',
  ),
  fc.constantFrom('/webhook#a', '/%', '/webhook%00', '/webhook;x=1', '/../webhook', 'webhook', '/__proto__', '?', '#'),
  fc.constantFrom(9_000, 40_000).map((length) => `/${'a'.repeat(length)}`),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.webUrl(),
)
// Not HEAD: its answers look as if a body followed.
const method = fc.oneof(
  fc.constantFrom('POST', 'GET', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PATCH', 'QUERY', 'PRI', 'M-SEARCH'),
  fc.constantFrom('POST', 'post', 'FOO', '', 'POST POST'),
)
const version = fc.oneof(
  { weight: 8, arbitrary: fc.constant('HTTP/1.1') },
  fc.constantFrom('HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'HTTP/1.10', 'http/1.1', 'ICE/1.0', '', 'HTTP/1.1 x'),
)

/** Other methods, targets and versions. */
export const oddRequestLine: fc.Arbitrary<Buffer> = fc
  .tuple(rightDelivery, method, target, version)
  .map(([right, ...words]) => toBytes({ ...right, requestLine: words.join(' ') }))

/** Parts of signature headers that never prove the text, alone or together. */
function forgedParts(text: string): fc.Arbitrary<string> {
  const [stamp = '', mac = ''] = sign(text, { secret: 'whsec_of_someone_else' }).split(',')
  const [stale = '', staleMac = ''] = sign(text, { secret: SECRET, ageSeconds: 100_000 }).split(',')
  const [ahead = '', aheadMac = ''] = sign(text, { secret: SECRET, ageSeconds: -100_000 }).split(',')
  const [, macOfOther = ''] = sign(`${text} `, { secret: SECRET }).split(',')
  return fc.oneof(
    fc.constantFrom(stamp, mac, stale, staleMac, ahead, aheadMac, macOfOther, macOfOther.toUpperCase()),
    fc.constantFrom(
      staleMac.replace('v1', 'v0'),
      ` ${mac}`,
      `${macOfOther} `,
      mac.slice(0, -1),
      'v1=',
      'v1',
      'v1==',
      't=',
    ),
    fc.constantFrom(
      't=NaN',
      't=-1',
      't=0',
      't=1e99',
      't=Infinity',
      `t=${'9'.repeat(400)}`,
      '',
      '=',
      't',
      `v1=${'é'.repeat(64)}`,
    ),
    fc.string({ unit: 'binary', maxLength: 70 }).map((junk) => junk.replace(/[\r\n]/g, '')),
  )
}

/** An event that its `Stripe-Signature`, or several of them, do not prove. */
export const forged: fc.Arbitrary<Delivery> = fc
  .nat(99_999)
  .map((id) => snapshotJson({ id: `evt_forged_${id}` }))
  .chain((text) => {
    const header = fc.array(forgedParts(text), { maxLength: 6 }).map((parts) => parts.join(','))
    return fc.array(header, { maxLength: 3 }).map((signatures): Delivery => {
      const { requestLine, headers, body } = delivery(text, '')
      const others = headers.filter(([name]) => name !== 'Stripe-Signature')
      const added = signatures.map((value) => ['Stripe-Signature', value] as const)
      return { requestLine, headers: [...added, ...others], body }
    })
  })
