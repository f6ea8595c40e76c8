import { InvalidArgumentError } from 'commander'
import { ReceiverError } from '../../errors.ts'
import type { Setting } from './options.ts'

/** Option parser for `data.object.amount=4200`: the value is JSON if it parses, else text. Given again, it adds to those before. */
export function settingOption(text: string, previous: readonly Setting[] = []): Setting[] {
  const [, path = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? []
  const keys = path.split('.')
  if (keys.includes('')) {
    throw new InvalidArgumentError('Expected a path into the event and a value, such as data.object.amount=4200.')
  }
  return [...previous, { path: keys, value: parseValue(value) }]
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

type Json = Record<string, unknown>

/**
 * The event with the values set; objects that are missing on the way are made.
 * @throws ReceiverError `config_invalid` when a path leads through something that is no object, or past the end of an array
 */
export function applySettings(event: Readonly<Json>, settings: readonly Setting[]): Json {
  const copy = structuredClone(event)
  for (const { path, value } of settings) setAt(copy, path, value)
  return copy
}

function setAt(event: Json, path: readonly string[], value: unknown): void {
  let place = event
  for (const [index, key] of path.entries()) {
    const isLast = index === path.length - 1
    if (Array.isArray(place) && !(/^\d+$/.test(key) && Number(key) <= place.length)) {
      throw invalid(path, index, `an array of ${place.length}, so expected an index up to that`)
    }
    // Defined, not assigned: a key may be named as something that every object has.
    if (isLast || !Object.hasOwn(place, key)) {
      Object.defineProperty(place, key, {
        value: isLast ? value : {},
        writable: true,
        enumerable: true,
        configurable: true,
      })
    }
    const next = place[key]
    if (isLast) return
    if (typeof next !== 'object' || next === null) {
      throw invalid(path, index + 1, `${JSON.stringify(next)}, which is no object: nothing can be set in it`)
    }
    // An object can be read and written by key.
    place = next as Json
  }
}

function invalid(path: readonly string[], depth: number, what: string): ReceiverError {
  return new ReceiverError('config_invalid', `--set ${path.join('.')}: ${path.slice(0, depth).join('.')} is ${what}`)
}
