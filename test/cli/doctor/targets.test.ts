import { writeFile } from 'node:fs/promises'
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

it('tells what keeps it from the others', async () => {
  const server = await startTargetServer()
  const { code, stdout } = await run('http://127.0.0.1:1', 'http://shop.invalid', `https://${server.url.host}`)
  expect(code).toBe(1)
  expect(stdout).toMatch(/fault +the target t0 at 127\.0\.0\.1:1: ECONNREFUSED/)
  expect(stdout).toMatch(/fault +the target t1 at shop\.invalid: (ENOTFOUND|EAI_AGAIN)/)
  expect(stdout).toMatch(/fault +the target t2 at .*: (ERR_SSL|EPROTO|ECONNRESET)/)
})
