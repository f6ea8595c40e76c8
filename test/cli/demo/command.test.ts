import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest'
import { isThinType } from '../../../src/event/twin.ts'
import { handlerMap } from '../../../src/handlers/built-in/map.ts'
import { eventually } from '../../support/eventually.ts'
import { processEnvironment } from '../../support/process-environment.ts'
import { runCli } from '../../support/run-cli.ts'

const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url))

const snapshotTypes = Object.keys(handlerMap).filter((type) => !isThinType(type))
/** Beside each type in both shapes on both routes, a duplicate, a forgery and an unknown type. */
const DELIVERIES = snapshotTypes.length * 4 + 3

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
})

afterEach(() => rm(folder, { recursive: true }))

it('handles every built-in type in both shapes on both routes, and ends with 0', async () => {
  const { code, stdout, stderr } = await runCli(['demo'], { env: { TMPDIR: folder } })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).slice(0, 5).join(' '))
  for (const type of snapshotTypes) {
    for (const route of ['account', 'connect']) {
      expect(rows).toContain(`${type} snapshot ${route} 200 handled`)
      expect(rows).toContain(`v1.${type} thin ${route} 200 handled`)
    }
  }
  expect(rows).toContain('payout.failed snapshot account 400 –')
  expect(rows).toContain('invoice.imaginary snapshot account 200 unhandled')
  expect(stdout).toContain(`${DELIVERIES} deliveries`)
  expect(stdout).toContain('all as it should be')
  expect(stdout).toContain('payout failed amount=')
})

it('fits its lines into 120 columns and shows no secret', async () => {
  const { stdout } = await runCli(['demo'], { env: { TMPDIR: folder } })
  expect(stdout.split('\n').filter((line) => line.length > 120)).toEqual([])
  expect(stdout).not.toContain('whsec_')
})

it('fits a terminal of 80 columns', async () => {
  const { stdout } = await runCli(['demo'], { env: { TMPDIR: folder }, columns: 80 })
  const lines = stdout.split('\n')
  expect(lines.filter((line) => line.length > 80)).toEqual([])
  for (const type of snapshotTypes) expect(lines.filter((line) => line.startsWith(`v1.${type} `))).toHaveLength(2)
})

it('needs no configuration, ignores .env, and leaves nothing behind', async () => {
  const env = { TMPDIR: folder, STRIPE_WEBHOOK_SECRET: 'nonsense', PORT: 'nonsense' }
  await writeFile(join(folder, '.env'), 'HANDLERS=/does/not/exist\nDATABASE_URL=nonsense\n')
  const { code } = await runCli(['demo'], { env, cwd: folder })
  expect(code).toBe(0)
  expect(await readdir(folder)).toEqual(['.env'])
})

it('goes on with its console open, and leaves nothing behind when a signal ends it', async () => {
  const child = spawn(process.execPath, [cli, 'demo', '--console'], {
    env: { ...processEnvironment(), TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = once(child, 'exit')
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  await eventually('it to be ready', () => said.includes('Ctrl-C'))
  const [, address = ''] = said.match(/^console +(\S+)$/m) ?? []
  const [, password = ''] = said.match(/^password +(\S+)$/m) ?? []
  const look = (secret: string) => fetch(address, { headers: { Authorization: `Basic ${btoa(`ann:${secret}`)}` } })
  expect((await look(password)).status).toBe(200)
  expect((await look('another-password-0123')).status).toBe(401)
  expect(await readdir(folder)).toHaveLength(1)
  child.kill('SIGINT')
  expect(await exited).toEqual([130, null])
  expect(await readdir(folder)).toEqual([])
})

it('prints one JSON object for each delivery with --json', async () => {
  const { code, stdout } = await runCli(['demo', '--json'], { env: { TMPDIR: folder } })
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const ofKind = (kind: string) => results.filter((result) => result.kind === kind)
  expect(code).toBe(0)
  expect(results).toHaveLength(DELIVERIES)
  expect(results.flatMap((result) => result.faults)).toEqual([])
  expect(ofKind('event').every((result) => result.answer === 200 && result.state === 'handled')).toBe(true)
  expect(ofKind('event')).toContainEqual(
    expect.objectContaining({
      type: 'payout.failed',
      message: 'payout failed',
      facts: expect.objectContaining({ currency: 'eur' }),
    }),
  )
  expect(ofKind('duplicate')).toMatchObject([{ answer: 200, state: 'handled' }])
  expect(ofKind('event').filter(({ eventId }) => eventId === ofKind('duplicate')[0].eventId)).toHaveLength(1)
  expect(ofKind('forged')).toMatchObject([{ answer: 400, state: null, message: 'refused: signature_mismatch' }])
  expect(ofKind('unknown type')).toMatchObject([{ answer: 200, state: 'unhandled' }])
})
