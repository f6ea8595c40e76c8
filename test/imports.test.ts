import { globSync, readFileSync } from 'node:fs'
import { dirname, join, matchesGlob } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync, Visitor } from 'vite'
import { expect, it } from 'vitest'

const words = '{event,errors,log}.ts'
/** Node's own modules but SQLite, which has one owner. */
const node = 'node:!(sqlite){,/*}'

/**
 * What the files of a place import beside those of their own folder: globs in src/, and packages; after `type ` for types only.
 * The longest place that holds a file counts for it. A new folder needs a line here.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['{config,errors,log,service}.ts'],
  'dev.ts': ['config.ts', node],
  'service.ts': [
    '{config,event,figures,log,metrics,user-code}.ts',
    'type event/arrival.ts',
    '{http,inbox,worker,answers,targets,stripe,reconcile,alerts,operations}/*.ts',
    'console/console.ts',
    node,
  ],
  'config.ts': ['errors.ts', 'dotenv', 'zod'],
  'user-code.ts': ['config.ts', 'type event.ts', 'type event/arrival.ts', '{handlers,answers,targets,stripe}/*.ts'],
  'guard-listeners.ts': [],
  'log.ts': ['log-stream.ts', 'pino', 'pino-pretty'],
  'log-stream.ts': [node, 'type pino', 'sonic-boom'],
  'errors.ts': [],
  'figures.ts': [words, 'inbox/{inbox,figures}.ts', 'repeat.ts'],
  'metrics.ts': [
    '{event,errors}.ts',
    'event/*',
    'type answers/answering.ts',
    'inbox/forwards.ts',
    'type inbox/inbox.ts',
    'type reconcile/tally.ts',
    'prom-client',
  ],
  'event.ts': ['type log.ts', 'type stripe'],
  'user-module.ts': ['{errors,log}.ts', node],
  'retry-delay.ts': [],
  'wake-up.ts': [],
  'repeat.ts': [node],
  'once-a-second.ts': [],
  'settle.ts': ['{errors,log}.ts', node],
  'event/': ['{event,errors}.ts'],
  'http/': [
    words,
    'once-a-second.ts',
    'event/*',
    'inbox/inbox.ts',
    'type answers/answering.ts',
    node,
    'express',
    'stripe',
  ],
  'inbox/': [words, node],
  'inbox/open-inbox.ts': ['errors.ts', 'inbox/{sqlite,postgres}/inbox.ts', 'inbox/sqlite/backup.ts'],
  'inbox/sqlite/': [words, 'inbox/*.ts', node, 'node:sqlite'],
  'inbox/postgres/': [words, 'inbox/*.ts', node, 'pg'],
  'worker/': [
    words,
    '{guard-listeners,retry-delay,wake-up,repeat,settle}.ts',
    'event/*',
    'inbox/{inbox,forwards}.ts',
    node,
  ],
  'handlers/': [words, 'user-module.ts', 'event/*', 'handlers/built-in/map.ts'],
  'handlers/built-in/': ['{event,errors}.ts'],
  'answers/': [words, '{user-module,guard-listeners}.ts', 'event/*', 'inbox/{inbox,room}.ts', node, 'stripe', 'zod'],
  'targets/': [
    words,
    '{user-module,retry-delay,wake-up,settle,once-a-second}.ts',
    'event/*',
    'inbox/{inbox,forwards}.ts',
    node,
    'zod',
  ],
  'stripe/': [words, node, 'stripe'],
  'reconcile/': [words, 'event/*', 'inbox/inbox.ts', 'stripe/*', 'destinations/*', node, 'stripe'],
  'alerts/': [
    words,
    'repeat.ts',
    'event/*',
    'type inbox/{inbox,forwards}.ts',
    'type reconcile/tally.ts',
    'operations/duration.ts',
    node,
  ],
  'destinations/': [words, 'event/*', 'stripe/*', 'stripe'],
  'operations/': [
    words,
    'repeat.ts',
    'inbox/{inbox,forwards,actions}.ts',
    'targets/{circuit,hasten-all}.ts',
    'type targets/load.ts',
    node,
  ],
  'console/': [
    words,
    'type event/mode.ts',
    'inbox/{inbox,forwards,actions,figures}.ts',
    'operations/*',
    'reconcile/schedule.ts',
    'console/{pages/,}*.ts',
    node,
    'express',
  ],
  'samples/': ['event.ts', 'event/*', node, 'stripe'],
  'testing.ts': [words, 'event/*', 'samples/*', 'stripe/{client,fetch-latest}.ts', 'worker/dispatch.ts', 'type stripe'],
  'cli.ts': ['{errors,log}.ts', 'cli/*/command.ts', 'commander'],
  'cli/': [
    words,
    '{config,service,user-code}.ts',
    'event/*',
    'inbox/{inbox,forwards,actions,open-inbox}.ts',
    'handlers/{,built-in/}*.ts',
    'answers/load.ts',
    '{stripe,targets,reconcile,alerts,destinations,operations}/*',
    'cli/*.ts',
    'cli/{events/operator,targets/loaded}.ts',
    'cli/terminal/*',
    'samples/*',
    node,
    'stripe',
    'commander',
  ],
  'cli/terminal/': [words, 'operations/{duration,show-hidden}.ts', node, 'commander'],
}

const src = fileURLToPath(new URL('../src/', import.meta.url))

interface Import {
  /** A package as written; a file of src/ by its path in it. */
  readonly target: string
  readonly isType: boolean
}

function readImports(file: string): Import[] {
  const imports: Import[] = []
  const add = (specifier: unknown, isType: boolean) => {
    if (typeof specifier !== 'string') return
    const target = specifier.startsWith('.') ? join(dirname(file), specifier) : specifier
    imports.push({ target, isType })
  }
  const { program, errors } = parseSync(file, readFileSync(join(src, file), 'utf8'))
  expect(errors).toEqual([])
  new Visitor({
    ImportDeclaration: ({ source, importKind }) => add(source.value, importKind === 'type'),
    ExportNamedDeclaration: ({ source, exportKind }) => add(source?.value, exportKind === 'type'),
    ExportAllDeclaration: ({ source, exportKind }) => add(source.value, exportKind === 'type'),
    // One that is computed is a module of the user's.
    ImportExpression: ({ source }) => add('value' in source && source.value, false),
    // Fits nothing: Biome's search for circles does not see it.
    TSImportType: ({ source }) => add(`import('${source.value}') as a type`, true),
  }).visit(program)
  return imports
}

function placeOf(file: string): string {
  const places = Object.keys(allowed).filter((place) => (place.endsWith('/') ? file.startsWith(place) : file === place))
  return places.reduce((longest, place) => (place.length > longest.length ? place : longest), '')
}

function findFitting(place: string, { target, isType }: Import): string[] {
  const fits = (pattern: string) => matchesGlob(target, pattern) || (isType && matchesGlob(`type ${target}`, pattern))
  return (allowed[place] ?? []).filter(fits).map((pattern) => `${place}: ${pattern}`)
}

const found = globSync('**/*.ts', { cwd: src }).flatMap((file) => {
  const isBeside = ({ target }: Import) => file.includes('/') && dirname(target) === dirname(file)
  const leaving = readImports(file).filter((each) => !isBeside(each))
  return leaving.map((each) => ({ text: `${file} → ${each.target}`, fitting: findFitting(placeOf(file), each) }))
})

it('a file imports only what is allowed where it stands', () => {
  expect(found.filter(({ fitting }) => fitting.length === 0).map(({ text }) => text)).toEqual([])
})

it('nothing is allowed that no file imports', () => {
  const used = new Set(found.flatMap(({ fitting }) => fitting))
  const all = Object.entries(allowed).flatMap(([place, patterns]) => patterns.map((pattern) => `${place}: ${pattern}`))
  expect(all.filter((each) => !used.has(each))).toEqual([])
})
