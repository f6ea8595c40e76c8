import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { handlerMap } from '../../src/handlers/built-in/map.ts'
import { loadHandlers } from '../../src/handlers/load.ts'

const run = promisify(execFile)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'handlers-'))
})
afterAll(() => rm(folder, { recursive: true }))

let written = 0
/** Each module gets a file of its own: Node imports a path once. */
async function writeModule(text: string, extension = 'mjs'): Promise<string> {
  written += 1
  const path = join(folder, `own-${written}.${extension}`)
  await writeFile(path, text)
  return path
}

const builtIn = new URL('../../src/handlers/built-in/map.ts', import.meta.url).href
/** A module of the built-in handlers, with own ones laid over them. */
const writeSpread = (own: string) =>
  writeModule(`import { handlerMap } from ${JSON.stringify(builtIn)}
    export const handlers = { ...handlerMap, ${own} }`)

const failed = (message: RegExp) => ({
  name: 'ReceiverError',
  code: 'handlers_invalid',
  message: expect.stringMatching(message),
})

test('gives the built-in handlers when no module is named', async () => {
  const { handlers, unknownTypes } = await loadHandlers(undefined)
  expect(handlers.map).toEqual(handlerMap)
  expect(handlers.fallback).toBeUndefined()
  expect(unknownTypes).toEqual([])
})

describe('a module of the user', () => {
  test.each([
    ['ts', 'export const handlers = { "refund.created": (event: { id: string }): void => {} }'],
    ['js', 'export const handlers = { "refund.created": (event) => {} }'],
    ['mjs', 'export const handlers = { async "refund.created"(event) {} }'],
  ])('is read from a .%s file', async (extension, text) => {
    const { handlers } = await loadHandlers(await writeModule(text, extension))
    expect(handlers.map['refund.created']).toBeTypeOf('function')
    // The module is the map: no built-in handler is added to it.
    expect(Object.keys(handlers.map)).toEqual(['refund.created'])
  })

  test('finds the packages that lie in its own folder', async () => {
    const own = join(folder, 'with-packages')
    await mkdir(join(own, 'node_modules', 'ledger'), { recursive: true })
    await writeFile(
      join(own, 'node_modules', 'ledger', 'package.json'),
      '{"name":"ledger","type":"module","main":"index.js"}',
    )
    await writeFile(join(own, 'node_modules', 'ledger', 'index.js'), 'export const book = () => {}')
    await writeFile(
      join(own, 'index.ts'),
      "import { book } from 'ledger'\nexport const handlers = { 'refund.created': (event: object): void => book(event) }",
    )
    const { handlers } = await loadHandlers(join(own, 'index.ts'))
    expect(Object.keys(handlers.map)).toEqual(['refund.created'])
  })

  test('is read by Node alone, without a test runner that transforms it', async () => {
    const paths = [
      await writeModule('export const handlers = { "refund.created": (event: object): void => {} }', 'ts'),
      await writeModule('export const handlers = { "refund.created": (event) => {} }', 'js'),
    ]
    const loader = new URL('../../src/handlers/load.ts', import.meta.url)
    const script = `
      import { loadHandlers } from ${JSON.stringify(loader.href)}
      for (const path of ${JSON.stringify(paths)}) {
        const { handlers } = await loadHandlers(path)
        console.log(typeof handlers.map['refund.created'])
      }`
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script])
    expect(stdout).toBe('function\nfunction\n')
  })

  test('is found relative to the working directory', async () => {
    const path = await writeModule('export const handlers = { "refund.created": () => {} }')
    const { handlers } = await loadHandlers(relative(process.cwd(), path))
    expect(handlers.map['refund.created']).toBeTypeOf('function')
  })

  test('may be empty, then nothing has a handler', async () => {
    const { handlers } = await loadHandlers(await writeModule('export const handlers = {}'))
    expect(handlers.map).toEqual({})
  })

  test('may spread from the built-in handlers, without changing them', async () => {
    const { handlers, unknownTypes } = await loadHandlers(await writeSpread('"payout.failed": function mine() {}'))
    expect(handlers.map).toEqual({ ...handlerMap, 'payout.failed': expect.any(Function) })
    expect(handlers.map['payout.failed']?.name).toBe('mine')
    expect(handlerMap['payout.failed'].name).not.toBe('mine')
    expect(unknownTypes).toEqual([])
  })

  test.each([
    ['the thin twin of an own handler', '"payout.failed"() {}', ['v1.payout.failed']],
    ['the snapshot twin of an own handler', '"v1.payout.failed"() {}', ['payout.failed']],
    ['nothing when both twins are own', '"payout.failed"() {}, "v1.payout.failed"() {}', []],
    ['nothing when the twin has no built-in handler', '"refund.created"() {}', []],
    ['nothing when all are built-in', '', []],
  ])('has built-in handlers yield: %s', async (_which, own, expected) => {
    const { handlers } = await loadHandlers(await writeSpread(own))
    expect([...(handlers.yielding ?? [])]).toEqual(expected)
  })

  test('has nothing yield that is only named as a built-in handler is', async () => {
    const own = 'const own = () => {}; export const handlers = { "payout.failed": own, "v1.payout.failed": own }'
    expect((await loadHandlers(await writeModule(own))).handlers.yielding).toEqual(new Set())
  })

  test('adds a fallback', async () => {
    const path = await writeModule('export const handlers = {}; export function fallback() {}')
    expect((await loadHandlers(path)).handlers.fallback?.name).toBe('fallback')
  })

  test('may name lanes', async () => {
    const path = await writeModule('export const handlers = {}; export const lane = (event) => event.id')
    expect((await loadHandlers(path)).handlers.lane?.name).toBe('lane')
    expect((await loadHandlers(await writeModule('export const handlers = {}'))).handlers.lane).toBeUndefined()
  })

  test('may export a whole module as its handlers', async () => {
    const types = await writeModule('const refunded = () => {}; export { refunded as "refund.created" }')
    const path = await writeModule(`export * as handlers from ${JSON.stringify(types)}`)
    expect((await loadHandlers(path)).handlers.map['refund.created']).toBeTypeOf('function')
  })

  test('may name types that the SDK does not know, which are told', async () => {
    const path = await writeModule(
      'const f = () => {}; export const handlers = { "payout.faild": f, "payout.failed": f, "v3.new": f }',
    )
    const { handlers, unknownTypes } = await loadHandlers(path)
    expect(unknownTypes).toEqual(['payout.faild', 'v3.new'])
    expect(Object.hasOwn(handlers.map, 'v3.new')).toBe(true)
  })

  test('cannot reach the prototype of the map', async () => {
    const path = await writeModule('const f = () => {}; export const handlers = { ["__proto__"]: f, constructor: f }')
    const { handlers, unknownTypes } = await loadHandlers(path)
    expect(unknownTypes).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(handlers.map)).toBe(Object.prototype)
    expect(Object.hasOwn(handlers.map, '__proto__')).toBe(true)
    expect({}.constructor).toBe(Object)
  })
})

describe('what must not start', () => {
  test.each([
    [
      'no `handlers`',
      'export const handler = {}',
      /Expected `export const handlers = \{ … \}`, but .*own-\d+\.mjs does not export it/,
    ],
    [
      'a default export only',
      'export default { "payout.failed"() {} }',
      /has a default export instead\. Add the named export/,
    ],
    ['null handlers', 'export const handlers = null', /exports null\. Write/],
    ['an array', 'export const handlers = []', /exports an array/],
    ['a function', 'export const handlers = () => {}', /exports a function/],
    ['a promise', 'export const handlers = Promise.resolve({})', /exports a promise/],
    ['a Map', 'export const handlers = new Map()', /exports an object of another kind/],
    [
      'a prototype',
      'export const handlers = { __proto__: { "payout.failed"() {} } }',
      /exports an object of another kind/,
    ],
    [
      'a handler that is no function',
      'export const handlers = { "payout.failed": "x" }',
      /has a string for "payout\.failed"/,
    ],
    [
      'a missing handler',
      'export const handlers = { "payout.failed": undefined }',
      /has undefined for "payout\.failed"/,
    ],
    [
      'a fallback that is no function',
      'export const handlers = {}; export const fallback = 1',
      /`fallback` to be a function, but .* a number/,
    ],
    [
      'a null fallback',
      'export const handlers = {}; export const fallback = null',
      /`fallback` to be a function, but .* null/,
    ],
    [
      'a lane that is no function',
      'export const handlers = {}; export const lane = "customer"',
      /`lane` to be a function, but .* a string\. Write `export const lane = \(event\) => /,
    ],
    ['a module that throws', 'throw new TypeError("no database")', /failed to load: TypeError: no database\. Fix it/],
    ['a module that throws no error', 'throw "no database"', /failed to load: NonError: no database\. Fix it/],
    ['a missing import', 'import "./absent.mjs"; export const handlers = {}', /failed to load: .*absent\.mjs/],
  ])('%s', async (_, text, message) => {
    await expect(loadHandlers(await writeModule(text))).rejects.toMatchObject(failed(message))
  })

  test.each(['ts', 'js', 'mjs'])('a syntax error in a .%s file', async (extension) => {
    const path = await writeModule('export const handlers = {{', extension)
    await expect(loadHandlers(path)).rejects.toMatchObject(failed(/failed to load: /))
  })

  test('a file that does not exist', async () => {
    const path = join(folder, 'absent.ts')
    await expect(loadHandlers(path)).rejects.toMatchObject(
      failed(/must name a file, but .*absent\.ts does not exist\. Give/),
    )
  })

  test('a folder', async () => {
    await expect(loadHandlers(folder)).rejects.toMatchObject(failed(/must name a file, but .* is not a file\. Give/))
  })

  test('and the error tells no key, nor carries what was thrown', async () => {
    const path = await writeModule('throw Object.assign(new Error("bad key sk_live_51Abcdefg"), { body: "secret" })')
    const error = await loadHandlers(path).catch((error: unknown) => error)
    expect(error).toMatchObject(failed(/bad key sk_live_\[redacted\]/))
    expect(error).not.toHaveProperty('cause')
  })
})
