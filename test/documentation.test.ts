import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'dotenv'
import Stripe from 'stripe'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig, variableNames } from '../src/config.ts'
import { type EntryState, entryStates } from '../src/event.ts'
import { handlerMap } from '../src/handlers/built-in/map.ts'
import { loadHandlers } from '../src/handlers/load.ts'
import { createMetrics } from '../src/metrics.ts'
import { makeScratch } from './support/scratch.ts'

const run = promisify(execFile)
const project = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string): string => readFileSync(join(project, path), 'utf8')
const readme = read('README.md')
const required = { STRIPE_WEBHOOK_SECRET: 'whsec_account_1' }
const defaults = parseConfig(required)

/** Text from a heading to the next one. */
function sectionOf(heading: string): string {
  const found = readme.split(/^## /m).find((section) => section.startsWith(`${heading}\n`))
  if (found === undefined) throw new Error(`The README has no section ${heading}.`)
  return found
}

/** Cells of each row of a section's tables, without the headers. */
function rowsOf(heading: string): string[][] {
  return Array.from(sectionOf(heading).matchAll(/^\| (`.*)\|$/gm), ([, row = '']) =>
    row.split('|').map((cell) => cell.trim()),
  )
}

const quotedIn = (text: string): string[] => Array.from(text.matchAll(/`([^`]+)`/g), ([, quoted = '']) => quoted)

/** Fails unless these are the defaults of all variables that have one, and no others. */
function expectDefaults(told: ReadonlyMap<string, string>): void {
  for (const [name, value] of told) expect(parseConfig({ ...required, [name]: value }), name).toEqual(defaults)
  const withoutDefault = Object.values(defaults).filter((value) => value === undefined || String(value) === '')
  expect(told.size).toBe(variableNames.length - 1 - withoutDefault.length)
}

describe('.env.example', () => {
  const example = read('.env.example')
  const uncommented = parse(example.replace(/^# (?=[A-Z_]+=)/gm, ''))

  it('has every variable, in the order of the configuration', () => {
    expect(Object.keys(uncommented)).toEqual(variableNames)
  })

  it('leaves only the required one to be filled in', () => {
    expect(parse(example)).toEqual({ STRIPE_WEBHOOK_SECRET: '' })
  })

  it('shows the defaults', () => {
    expectDefaults(new Map(Object.entries(uncommented).filter(([, value]) => value !== '')))
  })
})

describe('the README', () => {
  it('lists the variables with their defaults', () => {
    const rows = rowsOf('Configuration')
    expect(rows.map(([name]) => name)).toEqual(variableNames.map((name) => `\`${name}\``))
    expect(rows[0]?.[1]).toBe('required')
    const told = rows.slice(1).filter(([, value]) => value !== '–')
    expectDefaults(new Map(told.map(([name = '', value = '']) => [name.slice(1, -1), value.slice(1, -1)])))
  })

  it('names scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json'))
    const named = Array.from(readme.matchAll(/\bnpm run (?:--silent )?([\w-]+)/g), ([, script]) => script)
    expect(named).toEqual(expect.arrayContaining(['demo', 'trigger']))
    expect([...named, 'start', 'test'].filter((name = '') => !Object.hasOwn(scripts, name))).toEqual([])
  })

  it('names options that trigger has', async () => {
    const { stdout } = await run(process.execPath, ['src/cli.ts', 'trigger', '--help'], { cwd: project })
    const options = rowsOf('Trying it without a Stripe account').map(
      ([option = '']) => option.slice(1, -1).split(' ')[0],
    )
    expect(options).toEqual(Array.from(stdout.matchAll(/^ {2}(--[\w-]+)/gm), ([, option]) => option))
  })

  it('names files and folders that are there', () => {
    const paths = Array.from(readme.matchAll(/(?<![/\w])((?:src|test)\/[\w./-]*\w\/?)/g), ([, path = '']) => path)
    expect(paths.length).toBeGreaterThan(20)
    expect(paths.filter((path) => !existsSync(join(project, path)))).toEqual([])
    const links = Array.from(readme.matchAll(/\]\(([^)]+)\)/g), ([, link = '']) => link)
    expect(links.filter((link) => !existsSync(join(project, link)))).toEqual([])
  })

  it('names paths of this project, its image and its routes only', () => {
    const known = /^\/(app|data|handlers|healthz|metrics|readyz|webhook)\b/
    const documents = ['README.md', '.env.example', 'Dockerfile', 'LICENSE', '.ci/run']
    for (const document of documents) {
      const text = read(document).replace(/https?:\/\/\S+|\$\{?\w+\}?\/\S*/g, '')
      const paths = Array.from(text.matchAll(/(?<![\w.*<>`)\]-])\/[a-z][\w./-]*/g), ([path]) => path)
      const foreign = paths.filter((path) => !known.test(path) && path !== '/usr/bin/env')
      expect(foreign, document).toEqual([])
      expect(text.replaceAll("'../../event.ts'", ''), document).not.toContain('../')
    }
  })

  it('lists the events that have handlers, and the API version that they are typed for', () => {
    const steps = sectionOf('With a destination in Workbench')
    const listed = quotedIn(steps.slice(steps.indexOf('These have handlers'), steps.indexOf('5. Choose')))
    const types = listed.filter((name) => name.includes('.') && name !== 'v1.')
    const handled = types.flatMap((type) => [type, `v1.${type}`])
    expect(handled.filter((type) => !Object.hasOwn(handlerMap, type))).toEqual([])
    expect(new Set(types).size).toBe(9)
    expect(steps).toContain(`\`${Stripe.API_VERSION}\``)
  })

  it('explains every state', () => {
    expect(rowsOf('What becomes of an event').map(([state]) => state)).toEqual(
      entryStates.map((state) => `\`${state}\``),
    )
  })

  it('names metrics that are there', async () => {
    const inbox = { counts: async () => ({}) as Record<EntryState, number>, oldestPendingMs: async () => null }
    const { text } = await createMetrics({}).render(inbox)
    const there = new Set(Array.from(text.matchAll(/^# HELP stripe_receiver_(\w+)/gm), ([, name]) => name))
    const table = rowsOf('Operating it').flatMap(([names = '']) =>
      quotedIn(names).map((name) => name.replace(/\{.*/, '')),
    )
    const own = table.filter((name) => !/^(process|nodejs)_/.test(name))
    const used = Array.from(readme.matchAll(/stripe_receiver_(\w+?)(?=\W)/g), ([, name = '']) => name).filter(Boolean)
    expect(own.length + used.length).toBeGreaterThan(15)
    expect([...own, ...used].filter((name) => !there.has(name))).toEqual([])
  })

  it('names codes and log messages that the code has', () => {
    const source = globSync('src/**/*.ts', { cwd: project }).map(read).join('')
    const messages =
      sectionOf('Logs')
        .match(/^\| \d.*$/gm)
        ?.flatMap((row) => quotedIn(row).slice(1)) ?? []
    const codes = rowsOf('On a bad day').flatMap(([names = '']) => quotedIn(names))
    expect(messages.length).toBeGreaterThan(8)
    expect(codes.length).toBeGreaterThan(7)
    const named = [...codes, ...messages.filter((message) => /[ ;]/.test(message))]
    expect(named.filter((text) => !source.includes(`'${text.replace(' …', '')}`))).toEqual([])
  })

  it('runs the tests with the command that .ci/run runs', () => {
    const command = read('.ci/run').trim().split('\n').at(-1)
    expect(command).toBe('npm ci && npm test')
    expect(sectionOf('Quick start')).toContain(`\n${command} `)
  })
})

describe("the README's code", () => {
  const blocks = Array.from(sectionOf('Handlers of your own').matchAll(/```ts\n(.*?)```/gs), ([, code = '']) => code)
  let scratch: Awaited<ReturnType<typeof makeScratch>>
  beforeAll(async () => {
    scratch = await makeScratch()
    await mkdir(join(scratch.path, 'code'))
    for (const [index, code] of blocks.entries()) {
      const placed = code
        .replaceAll("'/app/", `'${project}`)
        .replaceAll("'../../", `'${project}src/`)
        .replaceAll("'./", `'${project}src/handlers/built-in/`)
      await writeFile(join(scratch.path, 'code', `${index}.ts`), placed)
    }
  })
  afterAll(() => scratch.remove())

  it('compiles as strictly as the project', async () => {
    expect(blocks).toHaveLength(2)
    const config = {
      extends: join(project, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(project, 'node_modules/@types')] },
      include: ['code/*.ts'],
    }
    await writeFile(join(scratch.path, 'tsconfig.json'), JSON.stringify(config))
    await writeFile(join(scratch.path, 'package.json'), '{"type":"module"}')
    const tsc = join(project, 'node_modules/.bin/tsc')
    const { code = 0, stdout } = await run(tsc, ['--project', scratch.path]).catch((error) => error)
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  })

  it('loads as HANDLERS', async () => {
    const { handlers, unknownTypes } = await loadHandlers(join(scratch.path, 'code/1.ts'))
    expect(unknownTypes).toEqual([])
    expect(handlers.map['refund.created']).toBeTypeOf('function')
    expect(handlers.fallback).toBeTypeOf('function')
  })

  it('pairs a type with the function that it shows', () => {
    const exported = /export function (\w+)\((\w+): ObjectOf<'([^']+)'>/.exec(blocks[0] ?? '')
    expect(sectionOf('Handlers of your own')).toContain(`'${exported?.[3]}': (event, ctx) => ${exported?.[1]}(event.`)
  })
})
