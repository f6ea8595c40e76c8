import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, it } from 'vitest'
import { makeScratch } from '../support/scratch.ts'
import type { Row } from './row.ts'

const main = new URL('./main.ts', import.meta.url).pathname

let scratch: Awaited<ReturnType<typeof makeScratch>>

beforeEach(async () => {
  scratch = await makeScratch()
})

afterEach(() => scratch.remove())

async function runBench(
  args: readonly string[],
  postgresUrl = inject('postgresUrl'),
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], {
    env: { PATH: process.env.PATH, TMPDIR: scratch.path, TEST_DATABASE_URL: postgresUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  const [stdout, stderr] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()])
  const [code] = await ended
  return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}

it('measures what it was asked for alone, and writes positive numbers, the table, and what it is doing', async () => {
  const json = join(scratch.path, 'bench.json')
  const { code, stdout, stderr } = await runBench(['--quick', '--only', 'start', '--json', json])
  expect({ code, stderr }).toEqual({ code: 0, stderr: 'bench: start to ready, 1 times\n' })
  const { machine, rows }: { machine: unknown; rows: Row[] } = JSON.parse(await readFile(json, 'utf8'))
  expect(machine).toMatchObject({ cores: expect.any(Number), syncMs: expect.any(Number) })
  expect(rows).toMatchObject([{ name: 'start to ready', unit: 'ms' }])
  expect(rows[0]?.value).toBeGreaterThan(0)
  expect(stdout).toMatch(/^MEASURED +VALUE .*\nstart to ready +[\d,]+ +ms /m)
  expect(stdout).not.toContain('\u001b')
})

it('says what to do where there is no Postgres to measure', async () => {
  const { code, stderr } = await runBench(['--quick', '--only', 'postgres-drain'], 'postgres://127.0.0.1:1/none')
  expect(code).toBe(1)
  expect(stderr).toMatch(/no Postgres to measure: .*\n.*TEST_DATABASE_URL.*--only/)
})

it('refuses a measurement that it does not know, and names those it does', async () => {
  const { code, stderr } = await runBench(['--only', 'speed'])
  expect(code).toBe(1)
  expect(stderr).toContain(
    'ceiling, sample, receive, postgres-receive, whole, drain, postgres-drain, postgres-drain-2, claim,',
  )
})
