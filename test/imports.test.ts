import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const src = fileURLToPath(new URL('../src/', import.meta.url))
const files = globSync('**/*.ts', { cwd: src }).sort()

interface Import {
  /** A package or built-in module as written; a file of src/ by its path in it. */
  readonly target: string
  /** `import type`: gone when the program runs. */
  readonly isTypeOnly: boolean
  /** `import(…)`: runs only when it is reached. */
  readonly isDynamic: boolean
}

const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[^'"();]*?\sfrom\s+)?'([^']+)'/gm
const dynamic = /\bimport\(\s*'([^']+)'\s*\)/g

function readImports(file: string, text = readFileSync(join(src, file), 'utf8')): Import[] {
  const resolve = (specifier: string) => (specifier.startsWith('.') ? join(dirname(file), specifier) : specifier)
  return [
    ...Array.from(text.matchAll(statement), ([, type, specifier = '']) => ({
      target: resolve(specifier),
      isTypeOnly: type !== undefined,
      isDynamic: false,
    })),
    ...Array.from(text.matchAll(dynamic), ([, specifier = '']) => ({
      target: resolve(specifier),
      isTypeOnly: false,
      isDynamic: true,
    })),
  ]
}

const imports = new Map(files.map((file) => [file, readImports(file)]))

/** `file → target` for each import out of the files that is not allowed. */
function findOffences(
  isFrom: (file: string) => boolean,
  isAllowed: (target: string, found: Import) => boolean,
): string[] {
  return [...imports].flatMap(([file, found]) =>
    isFrom(file)
      ? found.filter((each) => !isAllowed(each.target, each)).map(({ target }) => `${file} → ${target}`)
      : [],
  )
}

const isIn =
  (...places: readonly string[]) =>
  (path: string): boolean =>
    places.some((place) => (/[/:]$/.test(place) ? path.startsWith(place) : path === place))

describe('reading imports', () => {
  it('finds every form of them', () => {
    const text = `
import { a } from 'a'
import type { b } from 'b'
import {
  type c,
  d,
} from './c.ts'
import * as e from '../e.ts'
import 'f'
export { g } from 'g'
export type { h } from 'h'
const i = await import('i')
const text = 'imported from elsewhere'
`
    expect(readImports('x/y.ts', text)).toEqual([
      { target: 'a', isTypeOnly: false, isDynamic: false },
      { target: 'b', isTypeOnly: true, isDynamic: false },
      { target: 'x/c.ts', isTypeOnly: false, isDynamic: false },
      { target: 'e.ts', isTypeOnly: false, isDynamic: false },
      { target: 'f', isTypeOnly: false, isDynamic: false },
      { target: 'g', isTypeOnly: false, isDynamic: false },
      { target: 'h', isTypeOnly: true, isDynamic: false },
      { target: 'i', isTypeOnly: false, isDynamic: true },
    ])
  })

  it('finds as many of them as there are specifiers in src/', () => {
    const specifiers = files.flatMap((file) =>
      Array.from(readFileSync(join(src, file), 'utf8').matchAll(/(?:\bfrom |\bimport\(|^import )'[^']+'/gm)),
    )
    expect([...imports.values()].flat()).toHaveLength(specifiers.length)
    expect(specifiers.length).toBeGreaterThan(100)
  })

  it('reads files that exist', () => {
    expect(
      findOffences(
        () => true,
        (target) => !target.endsWith('.ts') || files.includes(target),
      ),
    ).toEqual([])
  })
})

describe('imports flow one way', () => {
  const main = isIn('main.ts', 'cli.ts', 'cli/')
  const parts = isIn('http/', 'worker/', 'inbox/', 'stripe/', 'reconcile/', 'destinations/', 'handlers/')

  it('only a process or a command imports the service and the commands', () => {
    const isTop = isIn('main.ts', 'service.ts', 'cli.ts', 'cli/')
    expect(
      findOffences(
        (file) => !main(file),
        (target) => !isTop(target),
      ),
    ).toEqual([])
  })

  it('http/ and worker/ never import each other', () => {
    expect(findOffences(isIn('http/'), (target) => !isIn('worker/')(target))).toEqual([])
    expect(findOffences(isIn('worker/'), (target) => !isIn('http/')(target))).toEqual([])
  })

  it('http/ and worker/ know the inbox by its interface, and no handler and no client', () => {
    const isAllowed = (target: string) => !isIn('inbox/', 'handlers/', 'stripe/')(target) || target === 'inbox/inbox.ts'
    expect(findOffences(isIn('http/', 'worker/'), isAllowed)).toEqual([])
  })

  it('inbox/ knows no other part, and stripe/ none but those that ask Stripe', () => {
    const isOwn = (place: string) => (target: string) => !parts(target) || target.startsWith(place)
    expect(findOffences(isIn('inbox/'), isOwn('inbox/'))).toEqual([])
    expect(findOffences(isIn('stripe/'), isOwn('stripe/'))).toEqual([])
  })

  it('a handler imports the words, the errors and other handlers only', () => {
    const isHandler = (file: string) => file.startsWith('handlers/built-in/')
    expect(findOffences(isHandler, isIn('event.ts', 'errors.ts', 'handlers/'))).toEqual([])
    expect(findOffences(isHandler, (target) => target !== 'handlers/load.ts')).toEqual([])
    const isAllowedToLoader = isIn('event.ts', 'event/', 'errors.ts', 'log.ts', 'handlers/', 'node:')
    expect(findOffences(isIn('handlers/load.ts'), isAllowedToLoader)).toEqual([])
  })

  it('the words import types only', () => {
    expect(findOffences(isIn('event.ts'), (_target, { isTypeOnly }) => isTypeOnly)).toEqual([])
    expect(imports.get('errors.ts')).toEqual([])
  })

  it('no part is loaded by a file at the root but the service', () => {
    const isLoose = (file: string) => !file.includes('/') && file !== 'service.ts' && !main(file)
    expect(findOffences(isLoose, (target, { isTypeOnly }) => isTypeOnly || !parts(target))).toEqual([])
  })

  it('never in a circle', () => {
    const isDone = new Set<string>()
    function findCircle(file: string, way: readonly string[]): string[] {
      if (way.includes(file)) return [[...way.slice(way.indexOf(file)), file].join(' → ')]
      if (isDone.has(file)) return []
      const found = (imports.get(file) ?? []).filter(({ isTypeOnly }) => !isTypeOnly)
      const circles = found.flatMap(({ target }) => findCircle(target, [...way, file]))
      isDone.add(file)
      return circles
    }
    expect(files.flatMap((file) => findCircle(file, []))).toEqual([])
  })
})

describe('one place owns each dependency', () => {
  it.each([
    ['pino', isIn('log.ts')],
    ['pino-pretty', isIn('log.ts')],
    ['dotenv', isIn('config.ts')],
    ['zod', isIn('config.ts')],
    ['express', isIn('http/')],
    ['commander', isIn('cli.ts', 'cli/')],
    ['pg', (file: string) => /^inbox\/postgres\/[\w-]+\.ts$/.test(file)],
    ['node:sqlite', (file: string) => /^inbox\/sqlite\/[\w-]+\.ts$/.test(file)],
  ])('%s', (name, isOwner) => {
    expect(
      findOffences(
        (file) => !isOwner(file),
        (target) => target !== name,
      ),
    ).toEqual([])
    expect(files.some((file) => isOwner(file) && imports.get(file)?.some(({ target }) => target === name))).toBe(true)
  })

  it('the environment is read in config.ts', () => {
    const readers = files.filter((file) =>
      /\bprocess\s*(\.|\?\.|\[')\s*env\b|\benv\b[^\n]*from 'node:process'/.test(read(file)),
    )
    expect(readers).toEqual(['config.ts'])
  })

  const read = (file: string) => readFileSync(join(src, file), 'utf8')
})
