import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { runCli } from '../../support/run-cli.ts'
import { makeScratch } from '../../support/scratch.ts'
import { startTargetServer } from '../../support/target-server.ts'

async function run(...urls: readonly string[]) {
  const scratch = await makeScratch()
  onTestFinished(scratch.remove)
  const module = join(scratch.path, 'targets.mjs')
  const targets = urls.map(
    (url, index) => `t${index}: { url: '${url}', secrets: [{ variable: 'SHOP' }], sign: 'stripe' }`,
  )
  await writeFile(module, `export const targets = { ${targets.join()} }`)
  return runCli(['doctor', '--targets'], { env: { TARGETS: module, SHOP: 'whsec_shop_secret_1' } })
}

it('tells which targets can be reached, and sends them nothing', async () => {
  const server = await startTargetServer()
  const { code, stdout } = await run(server.url.href)
  expect(code).toBe(0)
  expect(stdout).toMatch(/ok +the target t0 at 127\.0\.0\.1:\d+ can be reached/)
  expect(server.received).toEqual([])
})

it('tells that a certificate does not fit', async () => {
  const read = (name: string) => readFile(new URL(`../../fixtures/tls/${name}.pem`, import.meta.url))
  const server = createServer({ key: await read('key'), cert: await read('cert') })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  // It listens on a port, so its address is no path.
  const { code, stdout } = await run(`https://localhost:${(server.address() as AddressInfo).port}`)
  expect(code).toBe(1)
  expect(stdout).toMatch(/fault +the target t0 at localhost:\d+: UNABLE_TO_/)
})

it('tells what keeps it from the others', async () => {
  const server = await startTargetServer()
  const { code, stdout } = await run('http://127.0.0.1:1', 'http://shop.invalid', `https://${server.url.host}`)
  expect(code).toBe(1)
  expect(stdout).toMatch(/fault +the target t0 at 127\.0\.0\.1:1: ECONNREFUSED/)
  expect(stdout).toMatch(/fault +the target t1 at shop\.invalid: (ENOTFOUND|EAI_AGAIN)/)
  expect(stdout).toMatch(/fault +the target t2 at .*: (ERR_SSL|EPROTO|ECONNRESET)/)
})
