import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { processEnvironment } from '../support/process-environment.ts'
import { makeScratch } from '../support/scratch.ts'
import { SECRET, snapshotJson } from '../support/sign.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const STARTS_WITHIN_MS = 25_000

let scratch: Awaited<ReturnType<typeof makeScratch>>
let terminal: ChildProcess | undefined
let shown: string
beforeEach(async () => {
  scratch = await makeScratch()
  shown = ''
})
afterEach(async () => {
  // Hangs up: what runs in a terminal ends with it.
  if (terminal?.exitCode === null && terminal.kill('SIGKILL')) await once(terminal, 'exit')
  terminal = undefined
  await scratch.remove()
})

const handlersFile = () => join(scratch.path, 'handlers.mjs')
const steps = () => (existsSync(join(scratch.path, 'steps')) ? readFileSync(join(scratch.path, 'steps'), 'utf8') : '')

/** Runs it as one types it, with the scratch folder's handlers; resolves once it listens. */
async function run(script: 'start' | 'dev'): Promise<string> {
  const gate = JSON.stringify(join(scratch.path, 'gate'))
  const record = JSON.stringify(join(scratch.path, 'steps'))
  writeFileSync(
    handlersFile(),
    `import { appendFileSync, existsSync } from 'node:fs'
export const handlers = { 'payout.failed': async () => {
  appendFileSync(${record}, 'start ')
  while (!existsSync(${gate})) await new Promise((resolve) => setTimeout(resolve, 10))
  appendFileSync(${record}, 'end ')
} }`,
  )
  terminal = spawn('script', ['--quiet', '--flush', '--return', '--command', `npm run ${script}`, '/dev/null'], {
    cwd: ROOT,
    env: {
      ...processEnvironment(),
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      ...{ STRIPE_WEBHOOK_SECRET: SECRET, HOST: '127.0.0.1', PORT: '0', ADMIN_PORT: '0', HANDLERS: handlersFile() },
      DATABASE_URL: `file:${join(scratch.path, 'inbox.db')}`,
    },
  })
  terminal.stdout?.setEncoding('utf8').on('data', (text: string) => {
    shown += text
  })
  return eventually('the server to listen', () => listening()[0], STARTS_WITHIN_MS)
}

/** The address of each server that listened so far. */
function listening(): string[] {
  return [...shown.matchAll(/listening.*?"url":"(http:[^"]+)"/g)].map(([, url = '']) => url)
}

// Other systems' `script` takes other options.
const onLinux = it.runIf(process.platform === 'linux')

// The terminal and npm each send the signal.
onLinux.each(['start', 'dev'] as const)('Ctrl-C under `npm run %s` lets a running handler finish', async (script) => {
  const url = await run(script)
  expect(await deliver(url, snapshotJson({ type: 'payout.failed' }))).toBe(200)
  await eventually('its handler to run', () => steps() === 'start ')
  terminal?.stdin?.write('\x03')
  await eventually('the stop', () => shown.includes('stopping'))
  writeFileSync(join(scratch.path, 'gate'), '')
  await eventually('the end', () => shown.includes('stopped'))
  expect(steps()).toBe('start end ')
})

onLinux('`npm run dev` starts the server again whenever a file is replaced, as editors do', async () => {
  await run('dev')
  for (let starts = 2; starts <= 4; starts += 1) {
    copyFileSync(handlersFile(), join(scratch.path, 'saved'))
    renameSync(join(scratch.path, 'saved'), handlersFile())
    await eventually('it to listen again', () => listening().length === starts, STARTS_WITHIN_MS)
  }
  terminal?.stdin?.write('\x03')
  await eventually('the end', () => terminal?.exitCode !== null)
})
