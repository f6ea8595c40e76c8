import { expect, it } from 'vitest'
import { snapshotTypes, thinTypes } from '../../src/event/known-types.ts'
import type { EventType } from '../../src/event.ts'
import { createSample } from '../../src/samples/event.ts'
import { fieldValues } from '../../src/samples/kinds.ts'
import { kindOf } from '../../src/samples/object.ts'
import {
  type DeclaredObject,
  declaredObject,
  knownPaths,
  snapshotObjects,
  thinObjects,
} from '../support/sdk-declarations.ts'

// The SDK's declarations, against src/samples/kinds.ts: what an update of the SDK adds is named here with what it lacks.

const now = new Date('2026-03-04T05:06:07.890Z')
const sampleOf = (type: EventType) => createSample({ type, now })

it('the declarations are read whole', () => {
  expect([...snapshotObjects.keys()].sort()).toEqual([...snapshotTypes].sort())
  expect([...thinObjects.keys()].filter((type) => type !== '').sort()).toEqual([...thinTypes].sort())
})

it('each snapshot event is about the object that the SDK declares for its type', () => {
  const wrong = snapshotTypes.flatMap((type) => {
    const { object } = declaredObject(snapshotObjects.get(type) ?? '')
    const sample = objectOf(type)
    return sample.object === object ? [] : [`${type} is about a ${object}, and its sample is a ${sample.object}`]
  })
  expect(wrong).toEqual([])
})

/** What events of each type are about, with the SDK's declaration: of thin ones, what is fetched. */
const objects = [
  ...snapshotTypes.map((type) => ({ type, name: snapshotObjects.get(type), sample: objectOf(type) })),
  ...thinTypes.map((type) => ({ type, name: thinObjects.get(type)?.name, sample: sampleOf(type).related })),
].flatMap(({ type, name, sample }) => (name === undefined ? [] : [{ type, declared: declaredObject(name), sample }]))

it('each object has what every one has: id, created, livemode, status and the fields that samples have values for', () => {
  const names = ['id', 'created', 'livemode', 'status', ...Object.keys(fieldValues)]
  const wrong = objects.flatMap(({ type, declared, sample }) => {
    const expected = names.filter(
      (name) => isAlwaysThere(declared, name) && `${type} ${name}` !== 'invoice.upcoming id',
    )
    const lacking = expected.filter((name) => sample[name] === undefined)
    const strange = ['id', 'created', 'livemode'].filter((name) => name in sample && !declared.fields.includes(name))
    return [
      ...lacking.map((name) => `${type}: its ${declared.object} needs ${name} in src/samples/kinds.ts`),
      ...strange.map((name) => `${type}: its ${declared.object} has no ${name}`),
    ]
  })
  expect(wrong).toEqual([])
})

function isAlwaysThere({ required }: DeclaredObject, name: string): boolean {
  const type = required.get(name)
  return (
    type !== undefined && !type.includes('null') && (/^(string|number|boolean|Card)\b/.test(type) || name === 'status')
  )
}

it('each status is one that the SDK lists, and the one that the type ends in, if that is one', () => {
  const wrong = objects.flatMap(({ type, declared: { statuses }, sample }) => {
    const { change } = kindOf(type.replace(/^v1\./, ''))
    const expected = statuses.includes(change) ? [change] : statuses
    const isRight = statuses.length === 0 || expected.includes(String(sample.status))
    return isRight ? [] : [`${type}: ${sample.status}, not ${expected.join(' or ')}`]
  })
  expect(wrong).toEqual([])
})

it('each thin event names what the SDK declares that it fetches, where the SDK gets it from', () => {
  const wrong = thinTypes.flatMap((type) => {
    const declared = thinObjects.get(type)
    const { thin } = sampleOf(type)
    const related = thin?.related_object as { id?: string; type: string; url: string } | undefined
    if (!declared || !related)
      return !declared === !related ? [] : [`${type}: ${declared ? 'needs a' : 'has no'} related_object`]
    const { object } = declaredObject(declared.name)
    const isPlace = [...knownPaths].some((path) => new RegExp(`^${path.replaceAll(':', '[^/]+')}$`).test(related.url))
    return [
      ...(related.type === object ? [] : [`${type}: is about a ${object}, not a ${related.type}`]),
      ...(Boolean(related.id) === declared.hasId
        ? []
        : [`${type}: its related_object has ${declared.hasId ? 'an' : 'no'} id`]),
      ...(isPlace ? [] : [`${type}: the SDK gets nothing from ${related.url}`]),
      ...(related.id === undefined || related.url.endsWith(`/${related.id}`)
        ? []
        : [`${type}: ${related.url} is not ${related.id}`]),
    ]
  })
  expect(wrong).toEqual([])
})

function objectOf(type: EventType): Record<string, unknown> {
  // A snapshot's data is its object, and perhaps what that was before.
  const { object } = (sampleOf(type).snapshot?.data ?? { object: {} }) as { object: Record<string, unknown> }
  return object
}
