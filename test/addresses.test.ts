import { spawnSync } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeScratch } from './support/scratch.ts'

const page = await readFile(fileURLToPath(new URL('../docs/addresses.md', import.meta.url)), 'utf8')
const [script = '', forCaddy = ''] = Array.from(page.matchAll(/^```sh\n(.*?)^```/gms), ([, code = '']) => code)

const ADDRESSES = ['3.18.12.63', '3.130.192.231', '13.235.14.237', '18.211.135.69', '54.187.216.72']
const OLD = 'the old list\n'

let scratch: Awaited<ReturnType<typeof makeScratch>>
let folder: string
let list: string
beforeEach(async () => {
  scratch = await makeScratch()
  folder = scratch.path
  list = join(folder, 'stripe-addresses')
  await writeFile(list, OLD)
})
afterEach(() => scratch.remove())

/** A command of that name, before the real one. */
async function fake(name: string, source: string): Promise<void> {
  await mkdir(join(folder, 'bin'), { recursive: true })
  await writeFile(join(folder, 'bin', name), `#!/bin/sh\n${source}\n`)
  await chmod(join(folder, 'bin', name), 0o755)
}

/** Runs the page's script as it stands, but for where its list lies, against a download of this text. */
async function run(source: string, got: string, curlCode = 0) {
  await writeFile(join(folder, 'got'), got)
  await fake('curl', `while [ "$1" != --output ]; do shift; done; cat ${join(folder, 'got')} > "$2"; exit ${curlCode}`)
  for (const proxy of ['nginx', 'caddy']) await fake(proxy, `echo "${proxy} $*" >> ${join(folder, 'reloads')}`)
  const placed = source.replace(/^list=.*$/m, `list=${list}`)
  const env = { PATH: `${join(folder, 'bin')}:${process.env.PATH}`, TMPDIR: folder }
  const { status, stderr } = spawnSync('sh', ['-c', placed], { env, encoding: 'utf8' })
  const reloads = await readFile(join(folder, 'reloads'), 'utf8').catch(() => '')
  return { status, stderr, reloads, list: await readFile(list, 'utf8') }
}

describe("the script for Stripe's addresses", () => {
  it.each([
    ['\n', ''],
    ['\n', '\n'],
    ['\r\n', '\r\n'],
  ])('writes the list and reloads nginx, with lines that end in %j and a last one in %j', async (end, last) => {
    const result = await run(script, ADDRESSES.join(end) + last)
    const allowed = ADDRESSES.map((address) => `allow ${address};\n`).join('')
    expect(result).toEqual({ status: 0, stderr: '', list: allowed, reloads: 'nginx -t -q\nnginx -s reload\n' })
    expect((await readdir(folder)).toSorted()).toEqual(['bin', 'got', 'reloads', 'stripe-addresses'])
  })

  it('writes it for Caddy with the two lines that the page names', async () => {
    const lines = script.split('\n')
    const [write = '', reload = ''] = forCaddy.split('\n')
    const changed = lines.map((line) => (line.startsWith('sed ') ? write : line.startsWith('nginx ') ? reload : line))
    const { status, list: written, reloads } = await run(changed.join('\n'), `${ADDRESSES.join('\n')}\n`)
    expect({ status, written }).toEqual({ status: 0, written: `@stripe remote_ip ${ADDRESSES.join(' ')}\n` })
    expect(reloads).toBe('caddy reload --config /etc/caddy/Caddyfile\n')
  })

  it.each([
    ['a download that failed', ADDRESSES.join('\n'), 22],
    ['nothing', '', 0],
    ['empty lines', '\n\n\n\n\n\n', 0],
    ['a part of the list', ADDRESSES.slice(0, 3).join('\n'), 0],
    ['a page of an error', '<html>\n'.repeat(9), 0],
    ['a line that is no address', [...ADDRESSES, '0.0.0.0/0'].join('\n'), 0],
    ['a line that nginx would run', [...ADDRESSES, '1.2.3.4; allow all'].join('\n'), 0],
  ])('keeps the old list, ends with a failure and reloads nothing after %s', async (_name, got, curlCode) => {
    const result = await run(script, got, curlCode)
    expect(result.status).not.toBe(0)
    expect({ list: result.list, reloads: result.reloads }).toEqual({ list: OLD, reloads: '' })
  })
})
