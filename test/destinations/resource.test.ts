import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { resourceOf } from '../../src/destinations/resource.ts'
import { thinTypes } from '../../src/event/known-types.ts'
import { thinHandled } from '../support/destinations-double.ts'

/** Paths without an id that the SDK has a GET for. */
function pathsOfSdk(): Set<string> {
  const folder = join(dirname(fileURLToPath(import.meta.resolve('stripe'))), 'resources')
  const source = globSync('**/*.js', { cwd: folder }).map((file) => readFileSync(join(folder, file), 'utf8'))
  return new Set(Array.from(source.join('\n').matchAll(/'GET', '(\/v\d[^']+)'/g), ([, path = '']) => path))
}

it('is a path of the SDK for every thin type that it knows, or none', () => {
  const paths = pathsOfSdk()
  expect(paths).toContain('/v1/payment_intents')
  const wrong = thinTypes.filter((type) => !paths.has(resourceOf(type) ?? '/v1/events'))
  expect(wrong).toEqual([])
})

it.each([
  ['v1.payment_intent.succeeded', '/v1/payment_intents'],
  ['v1.charge.dispute.created', '/v1/disputes'],
  ['v1.balance.available', '/v1/balance'],
  ['v1.tax.settings.updated', '/v1/tax/settings'],
  ['v1.issuing_card.created', '/v1/issuing/cards'],
  ['v2.core.account[configuration.merchant].capability_status_updated', '/v2/core/accounts'],
  ['v1.person.updated', undefined],
  ['v1.account.application.deauthorized', undefined],
])('of %s is %s', (type, expected) => {
  expect(resourceOf(type)).toBe(expected)
})

it('is known for most of what the built-in handlers fetch', () => {
  expect(new Set(thinHandled.map(resourceOf)).size).toBe(11)
})
