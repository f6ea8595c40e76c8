import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import type { LogLine } from '../support/log-lines.ts'
import { processEnvironment } from '../support/process-environment.ts'
import { makeScratch } from '../support/scratch.ts'
import { SECRET, snapshotJson } from '../support/sign.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
/** Each is told twice, in lines of half a kilobyte: together more than a pipe and the server keep. */
const DELIVERIES = 2_000
const LONG_TYPE = `long.${'x'.repeat(200)}`
const AT_ONCE = 50

let scratch: Awaited<ReturnType<typeof makeScratch>>
let end = async () => {}
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(async () => {
  await end()
  await scratch.remove()
})

/** Starts the server without its log to tell where it listens. */
async function start(stdout: number | 'pipe') {
  const port = await findFreePort()
  const child = spawn(process.execPath, [MAIN], {
    cwd: scratch.path,
    env: {
      ...processEnvironment(),
      ...{ HOST: '127.0.0.1', PORT: String(port), ADMIN_PORT: '0', STRIPE_WEBHOOK_SECRET: SECRET, LOG_LEVEL: 'debug' },
    },
    stdio: ['ignore', stdout, 'ignore'],
  })
  const exited = once(child, 'exit')
  end = async () => {
    child.kill('SIGKILL')
    await exited
  }
  const url = `http://127.0.0.1:${port}`
  const isAlive = () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    )
  await eventually('the server to answer', isAlive, 25_000)
  return { child, exited, url, isAlive }
}

async function findFreePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  // A listening TCP server's address is of this form.
  const { port } = server.address() as AddressInfo
  await once(server.close(), 'close')
  return port
}

async function deliverMany(url: string): Promise<void> {
  const deliverNext = (index: number) =>
    deliver(`${url}/webhook`, snapshotJson({ id: `evt_${index}${'x'.repeat(200)}`, type: LONG_TYPE }))
  for (let from = 0; from < DELIVERIES; from += AT_ONCE) {
    const statuses = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => deliverNext(from + index)))
    expect(new Set(statuses)).toEqual(new Set([200]))
  }
}

describe.runIf(process.platform === 'linux')('a log on a full disk', () => {
  it('holds up neither deliveries nor the end', async () => {
    const { child, exited, url, isAlive } = await start(openSync('/dev/full', 'w'))
    expect(await deliver(`${url}/webhook`, snapshotJson())).toBe(200)
    expect(await isAlive()).toBe(true)
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  })
})

describe('a log whose reader stalls', () => {
  it('holds up nothing, and tells later how many lines were dropped', async () => {
    const { child, url, isAlive } = await start('pipe')
    await deliverMany(url)
    expect(await isAlive()).toBe(true)
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    await eventually('the number of dropped lines', () => /were dropped.*\n/.test(text))
    const lines: LogLine[] = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const told = lines.filter(({ type, msg }) => type === LONG_TYPE || msg === 'delivery accepted')
    const dropped = lines.reduce((sum, line) => sum + Number(line.lines ?? 0), 0)
    expect(dropped).toBeGreaterThan(0)
    expect(told.length + dropped).toBe(2 * DELIVERIES)
  })

  it('holds up no end', async () => {
    const { child, exited, url } = await start('pipe')
    await deliverMany(url)
    child.kill('SIGTERM')
    expect(await exited).toEqual([null, 'SIGKILL'])
  })
})
