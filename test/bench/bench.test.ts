import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { makeScratch } from '../support/scratch.ts'
import type { ConsoleMeasurement } from './measure-console.ts'
import { measurementNames } from './plan.ts'
import type { Row } from './row.ts'

const main = new URL('./main.ts', import.meta.url).pathname

let scratch: Awaited<ReturnType<typeof makeScratch>>

beforeEach(async () => {
  scratch = await makeScratch()
})

afterEach(() => scratch.remove())

async function runBench(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH, TMPDIR: scratch.path, TEST_DATABASE_URL: inject('postgresUrl'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const [stdout, stderr] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()])
  const [code] = await ended
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}

it('measures what it was asked for alone, and writes positive numbers, the table, and what it is doing', async () => {
  const json = join(scratch.path, 'bench.json')
  const { code, stdout, stderr } = await runBench(['--quick', '--rounds', '1', '--only', 'start', '--json', json])
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'bench: round 1 of 1: start\n' })
  const { machine, rows }: { machine: unknown; rows: Row[] } = JSON.parse(await readFile(json, 'utf8'))
  expect(machine).toMatchObject({ cores: expect.any(Number), syncMs: expect.any(Number) })
  expect(rows).toMatchObject([{ name: 'start to ready', unit: 'ms' }])
  expect(rows[0]?.value).toBeGreaterThan(0)
  expect(stdout).toMatch(/^MEASURED +VALUE .*\nstart to ready +[\d,]+ +ms /m)
  expect(stdout).not.toContain('\u001b')
  const table = stdout.slice(stdout.indexOf('MEASURED'), stdout.indexOf('Loads:')).split('\n')
  expect(table.filter((line) => line.length > 120)).toEqual([])
})

it('measures another checkout in turns with this one', async () => {
  const json = join(scratch.path, 'bench.json')
  const args = ['--quick', '--rounds', '1', '--seconds', '0.3', '--only', 'receive,start', '--json', json]
  const { code, stderr } = await runBench([...args, '--against', fileURLToPath(new URL('../../', import.meta.url))])
  expect(code, stderr).toBe(0)
  expect(stderr).toContain('bench: round 1 of 1: receive\nbench: round 1 of 1: receive, before\n')
  const { rows, measured }: { rows: Row[]; measured: object } = JSON.parse(await readFile(json, 'utf8'))
  expect(Object.keys(measured)).toEqual(['receive', 'receive, before', 'start', 'start, before'])
  expect(rows.filter(({ toBefore }) => !(Number(toBefore) > 0))).toEqual([])
})

it('looks at every page of the console, beside a load', async () => {
  const json = join(scratch.path, 'bench.json')
  const args = ['--quick', '--rounds', '1', '--seconds', '0.2', '--only', 'console', '--json', json]
  const { code, stderr } = await runBench(args)
  expect(code, stderr).toBe(0)
  const { rows, measured }: { rows: Row[]; measured: { console: [ConsoleMeasurement] } } = JSON.parse(
    await readFile(json, 'utf8'),
  )
  expect(rows.filter(({ value }) => !(value > 0))).toEqual([])
  const [{ looked, searched }] = measured.console
  const pages = new Set(looked.looks.map(({ page }) => page.split('?', 1)[0]))
  expect([...pages].sort()).toEqual(['', '/event', '/events', '/failures'])
  expect(searched.looks.length).toBeGreaterThan(0)
})

it('says what is missing in a folder that is no checkout', async () => {
  const { code, stderr } = await runBench(['--quick', '--only', 'start', '--against', scratch.path])
  expect(code).toBe(1)
  expect(stderr).toMatch(/src\/main\.ts is missing: --against takes a checkout/)
})

it('leaves out slow syncs where there is no cc, and says so', async () => {
  const args = ['--quick', '--rounds', '1', '--only', 'receive-slow-sync,start']
  const { code, stdout, stderr } = await runBench(args, { PATH: scratch.path })
  expect(code, stderr).toBe(0)
  expect(stderr).toMatch(/bench: what needs slow syncs is left out: (spawn cc ENOENT|needs Linux)/)
  expect(stdout).toContain('start to ready')
  expect(stdout).not.toContain('slower')
})

it('says what to do where there is no Postgres to measure', async () => {
  const env = { TEST_DATABASE_URL: 'postgres://127.0.0.1:1/none' }
  const { code, stderr } = await runBench(['--quick', '--only', 'postgres-drain'], env)
  expect(code).toBe(1)
  expect(stderr).toMatch(/no Postgres to measure: .*\n.*TEST_DATABASE_URL.*--only/)
})

it('refuses a measurement that it does not know, and names those it does', async () => {
  const { code, stderr } = await runBench(['--only', 'speed'])
  expect(code).toBe(1)
  expect(stderr).toContain(`Expected some of ${measurementNames.join(', ')}, separated`)
})
