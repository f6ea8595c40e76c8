import fc from 'fast-check'
import { snapshotJson, thinJson } from './sign.ts'

const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    'a\u0000b',
    'a\nb',
    '\u007f',
    '\ud800',
    'a\udfff',
    '\ufeffa',
    '__proto__',
    'constructor',
    '../..',
    "'; --",
  ),
  fc.constantFrom(255, 256, 1_000, 100_000).map((length) => 'x'.repeat(length)),
)
const odd = fc.oneof(
  oddText,
  fc.jsonValue(),
  fc.constantFrom(0, -0, 1e300, -1e300, 2 ** 53, 8.64e15, 8.64e15 + 1, 5e-324, 1.5, null, true, [], {}, [[]]),
)
const missingOr = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

/** Events with one or more odd fields, of both shapes. */
const oddEvent = fc
  .record(
    {
      id: odd,
      type: odd,
      object: fc.oneof(fc.constantFrom('event', 'v2.core.event'), odd),
      account: odd,
      context: odd,
      created: odd,
      livemode: odd,
      api_version: odd,
      data: fc.oneof(odd, fc.record({ object: fc.oneof(odd, fc.record({ id: odd, object: odd })) })),
      related_object: fc.oneof(odd, fc.record({ id: missingOr(odd), type: missingOr(odd), url: missingOr(odd) })),
      snapshot_event: odd,
      request: odd,
      detail: odd,
      specversion: odd,
    },
    { requiredKeys: [] },
  )
  .chain((changes) => fc.constantFrom(snapshotJson, thinJson).map((make) => make(changes)))

const nested = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth)
const rawValue = fc.constantFrom(
  nested('[', ']', 100_000),
  nested('{"a":', '}', 50_000).replace('}', '1}'),
  '['.repeat(100_000),
  '1e999',
  `-${'9'.repeat(2_000)}`,
  '01',
  'NaN',
  '"\\ud800"',
  '"\\u0000"',
  '"\\x"',
  '"a\nb"',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"a":1,"a":2}',
  '[1,]',
  '/**/1',
  '',
)
const place = fc.constantFrom(
  'id',
  'type',
  'object',
  'data',
  'account',
  'created',
  'livemode',
  '__proto__',
  'toString',
  'extra',
)

/** Text that is put where a field's value is, so that the whole may be no JSON, or JSON that no serializer writes. */
const rawEvent = fc.tuple(place, rawValue, fc.boolean(), fc.nat(9_999)).map(([field, value, isFirst, id]) => {
  const event = snapshotJson({ id: `evt_raw_${id}` })
  return isFirst
    ? event.replace('{', () => `{"${field}":${value},`)
    : event.replace(/}$/, () => `,"${field}":${value}}`)
})

const wrapped = fc
  .tuple(fc.nat(9_999), fc.constantFrom('\ufeff', ' ', '\n', '\u0000', '[', 'x', '}', snapshotJson()), fc.boolean())
  .map(([id, extra, isFirst]) => {
    const event = snapshotJson({ id: `evt_wrapped_${id}` })
    return isFirst ? extra + event : event + extra
  })

/** What a holder of the secret might sign: events with odd fields, other JSON, and text that is no JSON. */
export const oddJson: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 6, arbitrary: oddEvent },
    { weight: 3, arbitrary: rawEvent },
    wrapped,
    fc.json(),
    fc.string({ unit: 'binary' }),
  )
  .map((text) => text.toWellFormed())
  .filter((text) => text !== '')
