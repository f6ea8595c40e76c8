import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { cp, readFile, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'dotenv'
import Stripe from 'stripe'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadAnswers } from '../src/answers/load.ts'
import { parseConfig, variableNames } from '../src/config.ts'
import { type EntryState, entryStates } from '../src/event.ts'
import { handlerMap } from '../src/handlers/built-in/map.ts'
import { loadHandlers } from '../src/handlers/load.ts'
import type { Inbox } from '../src/inbox/inbox.ts'
import { createMetrics } from '../src/metrics.ts'
import { makeScratch } from './support/scratch.ts'

const run = promisify(execFile)
const project = fileURLToPath(new URL('../', import.meta.url))
const read = (path: string): string => readFileSync(join(project, path), 'utf8')
/** Paths of the README and of every page beside it. */
const pages = ['README.md', ...globSync('docs/*.md', { cwd: project }).sort()]
const documentation = pages.map(read).join('\n')
const required = { STRIPE_WEBHOOK_SECRET: 'whsec_account_1' }
const defaults = parseConfig(required)

/** Text from a heading, of whichever page, to the next one. */
function sectionOf(heading: string): string {
  const sections = pages.flatMap((page) => read(page).split(/^## /m))
  const found = sections.find((section) => section.startsWith(`${heading}\n`))
  if (found === undefined) throw new Error(`No page has a section ${heading}.`)
  return found
}

/** Cells of each row of a section's tables, without the headers. */
function rowsOf(heading: string): string[][] {
  return Array.from(sectionOf(heading).matchAll(/^\| (`.*)\|$/gm), ([, row = '']) =>
    row.split('|').map((cell) => cell.trim()),
  )
}

const quotedIn = (text: string): string[] => Array.from(text.matchAll(/`([^`]+)`/g), ([, quoted = '']) => quoted)

/** Blocks of code in the language. */
const blocksOf = (text: string, language: string): string[] =>
  Array.from(text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms')), ([, code = '']) => code)

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

describe('the documentation', () => {
  it('lists the variables with their defaults', () => {
    const rows = rowsOf('Configuration')
    expect(rows.map(([name]) => name)).toEqual(variableNames.map((name) => `\`${name}\``))
    expect(rows[0]?.[1]).toBe('required')
    const told = rows.slice(1).filter(([, value]) => value !== '–')
    expectDefaults(new Map(told.map(([name = '', value = '']) => [name.slice(1, -1), value.slice(1, -1)])))
  })

  it('names scripts that package.json has', () => {
    const { scripts } = JSON.parse(read('package.json'))
    const named = Array.from(documentation.matchAll(/\bnpm run (?:--silent )?([\w-]+)/g), ([, script]) => script)
    expect(named).toEqual(expect.arrayContaining(['demo', 'trigger', 'events', 'doctor', 'bench']))
    expect([...named, 'start', 'test'].filter((name = '') => !Object.hasOwn(scripts, name))).toEqual([])
  })

  it('lists the options of trigger, and gives the other commands options that they have', async () => {
    const optionsOf = async (command: string): Promise<string[]> => {
      const args = ['src/cli.ts', ...command.split(' '), '--help']
      const { stdout } = await run(process.execPath, args, { cwd: project })
      return Array.from(stdout.matchAll(/^ {2}(--[\w-]+)/gm), ([, option = '']) => option)
    }
    const listed = rowsOf('Trying it without a Stripe account').map(([cell = '']) => cell.slice(1, -1).split(' ')[0])
    expect(listed).toEqual(await optionsOf('trigger'))
    const commands = /^npm run (?:--silent )?(events|reconcile|doctor|destination|targets) --((?: [a-z]+\b)?)(.*)$/gm
    const shown = Array.from(documentation.matchAll(commands), ([, script = '', part = '', rest = '']) => ({
      command: script + part,
      options: rest.match(/(?<= )--[\w-]+/g) ?? [],
    }))
    expect(shown.length).toBeGreaterThan(10)
    const named = Map.groupBy(shown, ({ command }) => command)
    await Promise.all(
      Array.from(named, async ([command, uses]) => {
        const options = uses.flatMap((each) => each.options)
        expect(await optionsOf(command), command).toEqual(expect.arrayContaining(options))
      }),
    )
  })

  it('names files and folders that are there', () => {
    const path = /(?<![/\w])((?:src|test|docs)\/[\w./-]*\w\/?)/g
    const paths = Array.from(documentation.matchAll(path), ([, found = '']) => found)
    expect(paths.length).toBeGreaterThan(20)
    expect(paths.filter((found) => !existsSync(join(project, found)))).toEqual([])
  })

  it('links to pages and headings that are there', () => {
    const links = pages.flatMap((page) =>
      Array.from(read(page).matchAll(/\]\(([^)#]*)(?:#([^)]+))?\)/g), ([, path, anchor]) => ({
        page,
        target: path ? join(dirname(page), path) : page,
        anchor,
      })),
    )
    const isBroken = ({ target, anchor }: (typeof links)[number]) =>
      !existsSync(join(project, target)) || (anchor !== undefined && !anchorsOf(read(target)).includes(anchor))
    expect(links.filter(isBroken)).toEqual([])
    // From the README, whose end tells where to go on, every page can be reached.
    const reached = links.filter(({ page }) => page === 'README.md').map(({ target }) => target)
    expect(reached).toEqual(expect.arrayContaining(pages.slice(1)))
  })

  it('names paths of this project, its image and its routes only', () => {
    const known =
      /^\/(app|console|data|etc\/(caddy|cron\.daily|nginx|systemd)|handlers|healthz|metrics|opt\/stripe-webhook-receiver|readyz|webhook)\b/
    for (const document of [...pages, '.env.example', 'Dockerfile', 'LICENSE', '.ci/run']) {
      const text = read(document).replace(/\w+:\/\/\S+|\$\{?\w+\}?\/\S*|\]\([^)]+\)/g, '')
      const paths = Array.from(text.matchAll(/(?<![\w.*<>`)\]-])\/[a-z][\w./-]*/g), ([path]) => path)
      const foreign = paths.filter((path) => !known.test(path) && path !== '/usr/bin/env')
      expect(foreign, document).toEqual([])
      expect(text.replaceAll("'../../event.ts'", ''), document).not.toContain('../')
    }
  })

  it('leads to the list of the events that have handlers, and names the API version that they are typed for', () => {
    const steps = sectionOf('With a destination in Workbench')
    expect(steps).toContain('](../src/handlers/built-in/map.ts)')
    expect(steps).toContain(`\`${Stripe.API_VERSION}\``)
  })

  it('explains every state', () => {
    expect(rowsOf('What becomes of an event').map(([state]) => state)).toEqual(
      entryStates.map((state) => `\`${state}\``),
    )
  })

  it('names metrics that are there', async () => {
    const inbox = {
      counts: async () => ({}) as Record<EntryState, number>,
      oldestPendingMs: async () => null,
      held: async () => null,
      forwards: { counts: async () => [], states: async () => [] } as unknown as Inbox['forwards'],
    }
    const { text } = await createMetrics(
      {},
      { isReconciling: true, requestTypes: ['issuing_authorization.request'], targets: ['shop'] },
    ).render(inbox)
    const there = new Set(Array.from(text.matchAll(/^# HELP stripe_receiver_(\w+)/gm), ([, name = '']) => name))
    const table = rowsOf('Metrics').flatMap(([names = '']) => quotedIn(names).map((name) => name.replace(/\{.*/, '')))
    const own = table.filter((name) => !/^(process|nodejs)_/.test(name))
    expect(own.toSorted()).toEqual([...there].toSorted())
    const used = Array.from(documentation.matchAll(/stripe_receiver_(\w+?)(?=\W)/g), ([, name = '']) => name)
    expect(used.length).toBeGreaterThan(8)
    expect(used.filter((name) => name !== '' && !there.has(name))).toEqual([])
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
})

/** The anchors that GitHub gives a page's headings. */
function anchorsOf(page: string): string[] {
  return Array.from(page.matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

describe("the documentation's code", () => {
  const folder = join(project, 'test/documented')

  // So `npm run check` compiles and lints what the pages show.
  it('is that of the files in test/documented, but for where they import from', () => {
    const placed = blocksOf(documentation, 'ts').map((code) =>
      code
        .replaceAll("'../../", "'../../src/")
        .replaceAll("'/app/", "'../../")
        .replaceAll("'./my-handlers.ts'", "'./first-handlers.ts'")
        .replaceAll(/'\.\/(?!first-)/g, "'../../src/handlers/built-in/"),
    )
    const files = globSync('*.ts', { cwd: folder }).map((file) => readFileSync(join(folder, file), 'utf8'))
    expect(placed.toSorted()).toEqual(files.toSorted())
  })

  it('loads as HANDLERS', async () => {
    const { handlers, unknownTypes } = await loadHandlers(join(folder, 'my-handlers.ts'))
    expect(unknownTypes).toEqual([])
    expect(handlers.map['refund.created']).toBeTypeOf('function')
    expect(handlers.fallback).toBeTypeOf('function')
    const first = await loadHandlers(join(folder, 'first-handlers.ts'))
    expect(Object.keys(first.handlers.map)).toEqual(['payout.failed'])
    const beside = await loadHandlers(join(folder, 'beside-built-in.ts'))
    expect(beside.handlers.map).toEqual({ ...handlerMap, 'payout.failed': expect.any(Function) })
    expect(beside.handlers.yielding).toEqual(new Set(['v1.payout.failed']))
  })

  it('loads as ANSWERS', async () => {
    const { answerers, unknownTypes } = await loadAnswers(join(folder, 'my-answers.ts'))
    expect(unknownTypes).toEqual([])
    expect([...answerers.keys()]).toEqual(['issuing_authorization.request'])
  })

  it('tests a handler with Node alone', async () => {
    const { stdout } = await run(process.execPath, ['--test', join(folder, 'my-handlers-test.ts')])
    expect(stdout).toContain('says why a payout failed')
  })

  it('makes a built-in handler of its function and its line', async () => {
    const scratch = await makeScratch()
    onTestFinished(scratch.remove)
    const section = sectionOf('In this tree')
    const line = /`('refund\.created': [^`]+)`/.exec(section)?.[1] ?? ''
    for (const path of ['src', 'package.json'])
      await cp(join(project, path), join(scratch.path, path), { recursive: true })
    await symlink(join(project, 'node_modules'), join(scratch.path, 'node_modules'))
    const folder = join(scratch.path, 'src/handlers/built-in')
    await writeFile(join(folder, 'refund.ts'), blocksOf(section, 'ts').join('\n'))
    // Whoever tried it in this tree has the lines already.
    const lines = (await readFile(join(folder, 'map.ts'), 'utf8')).split('\n')
    const map = lines.filter((each) => !each.includes('refundCreated')).join('\n')
    const mapWith = (added: string) =>
      `import { refundCreated } from './refund.ts'\n${map.replace('\n} satisfies', `\n  ${added}$&`)}`
    await writeFile(join(folder, 'map.ts'), mapWith(line))
    await writeFile(join(folder, 'misspelt.ts'), mapWith(line.replace('refund.created', 'refund.craeted')))
    const config = { extends: join(project, 'tsconfig.json'), include: [], files: ['map.ts', 'misspelt.ts'] }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const compiled = run(join(project, 'node_modules/.bin/tsc'), ['--project', folder])
    await expect(compiled).rejects.toMatchObject({
      stdout: expect.stringMatching(/^.*misspelt\.ts.*'refund\.craeted'.*\n(.*misspelt\.ts.*\n)*$/),
    })
    const { handlerMap: made } = await import(join(folder, 'map.ts'))
    expect(new Set(Object.keys(made))).toEqual(new Set([...Object.keys(handlerMap), 'refund.created']))
  })
})
