import fc from 'fast-check'
import { expect, it } from 'vitest'
import { indentJson } from '../../src/console/indent-json.ts'

it('has a line for each member, and leaves numbers, escapes and repeated keys as they are', () => {
  const text = '{"a":1.0,"a":12345678901234567890,"e":1e400,"t":"\\u00e9 \\" {[,:]}","list":[1, {"x" : [ ]}],"none":{}}'
  expect(indentJson(text)).toBe(
    [
      '{',
      '  "a": 1.0,',
      '  "a": 12345678901234567890,',
      '  "e": 1e400,',
      '  "t": "\\u00e9 \\" {[,:]}",',
      '  "list": [',
      '    1,',
      '    {',
      '      "x": []',
      '    }',
      '  ],',
      '  "none": {}',
      '}',
    ].join('\n'),
  )
})

it('makes of any JSON what JSON.stringify makes of it', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      expect(indentJson(JSON.stringify(value, undefined, space))).toBe(JSON.stringify(value, undefined, 2))
    }),
  )
})

it('keeps every character that is no white space of what is no JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'{}[],:"\\ab1 \n') }), (text) => {
      const bare = (from: string) => from.replace(/\s/g, '')
      expect(bare(indentJson(text))).toBe(bare(text))
    }),
  )
})

it('grows with its text alone, however deep that is', () => {
  const deep = '['.repeat(130_000) + ']'.repeat(130_000)
  expect(indentJson(deep).length).toBeLessThan(90 * deep.length)
  expect(indentJson(`"${'\\'.repeat(250_000)}`).length).toBe(250_001)
})
