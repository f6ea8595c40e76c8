import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sampleTypes } from '../../../src/cli/samples/objects.ts'
import { runCli } from '../../support/run-cli.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'demo-test-'))
})

afterEach(() => rm(folder, { recursive: true }))

it('handles every sample in both shapes on both routes, and ends with 0', async () => {
  const { code, stdout, stderr } = await runCli(['demo'], { env: { TMPDIR: folder } })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).slice(0, 5).join(' '))
  for (const type of sampleTypes) {
    for (const route of ['account', 'connect']) {
      expect(rows).toContain(`${type} snapshot ${route} 200 handled`)
      expect(rows).toContain(`v1.${type} thin ${route} 200 handled`)
    }
  }
  expect(rows).toContain('payout.failed snapshot account 400 –')
  expect(rows).toContain('invoice.imaginary snapshot account 200 unhandled')
  expect(stdout).toContain('39 deliveries')
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
  for (const type of sampleTypes) expect(lines.filter((line) => line.startsWith(`v1.${type} `))).toHaveLength(2)
})

it('needs no configuration, ignores .env, and leaves nothing behind', async () => {
  const env = { TMPDIR: folder, STRIPE_WEBHOOK_SECRET: 'nonsense', PORT: 'nonsense' }
  await writeFile(join(folder, '.env'), 'HANDLERS=/does/not/exist\nDATABASE_URL=nonsense\n')
  const { code } = await runCli(['demo'], { env, cwd: folder })
  expect(code).toBe(0)
  expect(await readdir(folder)).toEqual(['.env'])
})

it('prints one JSON object for each delivery with --json', async () => {
  const { code, stdout } = await runCli(['demo', '--json'], { env: { TMPDIR: folder } })
  const results = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const ofKind = (kind: string) => results.filter((result) => result.kind === kind)
  expect(code).toBe(0)
  expect(results).toHaveLength(39)
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
