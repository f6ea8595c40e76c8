import { expect, test } from 'vitest'
import { idOf } from '../../../src/handlers/built-in/id-of.ts'

test.each([
  ['an id', 'cus_1', 'cus_1'],
  ['an expanded object', { id: 'cus_1' }, 'cus_1'],
  ['null', null, null],
  ['an absent field', undefined, null],
])('reads %s', (_, field, id) => {
  expect(idOf(field)).toBe(id)
})
