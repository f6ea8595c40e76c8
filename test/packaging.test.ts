import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from './support/eventually.ts'
import { makeScratch } from './support/scratch.ts'

const run = promisify(execFile)
const project = fileURLToPath(new URL('../', import.meta.url))
const read = (name: string): string => readFileSync(join(project, name), 'utf8')

const dockerfile = read('Dockerfile').replace(/\\\n\s*/g, '')
const argumentsOf = (instruction: string): string[] =>
  Array.from(dockerfile.matchAll(new RegExp(`^${instruction} (.*)$`, 'gm')), ([, rest = '']) => rest)

interface LockedPackage {
  readonly dev?: boolean
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const { packages }: { packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(read('package-lock.json'))

// `npm ci` refuses a lock file that leaves one out, on whichever platform it runs.
it('the lock file names the optional packages of every platform', () => {
  const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) => !(`${place}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
    ),
  )
  expect(missing).toEqual([])
})

const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(read('package.json'))
const KEEP_COMPILED = '--import=./src/compile-cache.js'

// Windows runs them with cmd.exe, which has neither `exec` and `env` nor `NAME=value` before a command.
it('the scripts call programs alone, as every shell can', () => {
  const programs = Object.values(scripts).flatMap((script) => script.split(' && ').map((call) => call.split(' ')[0]))
  const installed = readdirSync(join(project, 'node_modules/.bin'))
  expect(programs.filter((program = '') => program !== 'npm' && !installed.includes(program))).toEqual([])
  expect(Object.values(scripts).filter((script) => /[$'`|;<>\\]/.test(script))).toEqual([])
})

it('`npm start` and the commands keep what they and their threads compile', async () => {
  const ours = Object.values(scripts).filter((script) => /src\/(main|cli)\.ts/.test(script))
  expect(ours.filter((script) => !script.includes(` ${KEEP_COMPILED} `))).toEqual([])
  expect(ours.length).toBeGreaterThan(7)
  const thread = `import { getCompileCacheDir } from 'node:module'
    import { parentPort } from 'node:worker_threads'
    parentPort.postMessage(getCompileCacheDir())`
  const script = `import { getCompileCacheDir } from 'node:module'
    import { Worker } from 'node:worker_threads'
    const thread = new Worker(new URL('data:text/javascript,' + ${JSON.stringify(encodeURIComponent(thread))}))
    thread.on('message', (folder) => console.log(JSON.stringify([getCompileCacheDir(), folder])))`
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const options = [KEEP_COMPILED, '--input-type=module', '--eval', script]
  const { stdout } = await run(process.execPath, options, { cwd: project, env, timeout: 20_000 })
  const folder = expect.stringContaining(join(project, 'node_modules/.cache/compiled/'))
  expect(JSON.parse(stdout)).toEqual([folder, folder])
})

/** What the image holds under /app, without a registry: the production packages are links to the installed ones. */
describe('what is in the image', () => {
  let scratch: Awaited<ReturnType<typeof makeScratch>>
  let app: string
  let env: Record<string, string>
  beforeAll(async () => {
    scratch = await makeScratch()
    app = join(scratch.path, 'app')
    await copyAsBuilt(join(scratch.path, 'context'), app)
    await linkProductionPackages(app)
    const pairs = argumentsOf('ENV').flatMap((rest) => rest.split(' '))
    const image: Record<string, string> = Object.fromEntries(
      pairs.map((pair) => [pair.replace(/=.*/, ''), pair.replace(/^[^=]*=/, '')]),
    )
    env = {
      PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
      ...image,
      // The links count as the packages' own places, so that none finds what is beside its target.
      NODE_OPTIONS: '--preserve-symlinks',
      DATABASE_URL: `file:${join(scratch.path, 'data/inbox.db')}`,
    }
  })
  afterAll(() => scratch.remove())

  // Within the test's own time: what does not end by itself would outlive it.
  const node = (script: string) =>
    run('node', ['--input-type=module', '--eval', script], { cwd: app, env, timeout: 20_000 })

  it('is no development package', async () => {
    for (const name of Object.keys(JSON.parse(read('package.json')).devDependencies)) {
      await expect(node(`import.meta.resolve('${name}')`), name).rejects.toThrow('ERR_MODULE_NOT_FOUND')
    }
  })

  it('is all that each file of src/ imports', async () => {
    const programs = [
      'src/main.ts',
      'src/cli.ts',
      'src/dev.ts',
      'src/inbox/sqlite/writer-thread.ts',
      'src/inbox/sqlite/reader-thread.ts',
      'src/worker/watchdog-thread.ts',
    ]
    const modules = globSync('src/**/*.ts', { cwd: app }).filter((file) => !programs.includes(file))
    expect(modules.length).toBeGreaterThan(40)
    await node(`for (const file of ${JSON.stringify(modules)}) await import('./' + file)`)
    const { stdout } = await run('node', ['src/cli.ts', '--help'], { cwd: app, env })
    expect(stdout).toContain('Usage:')
  })

  it('is enough to log on a terminal, in JSON since pino-pretty is not there', async () => {
    const { stdout } = await node(`
      process.stdout.isTTY = true
      const { createLog } = await import('./src/log.ts')
      const log = await createLog('info')
      log.info({ eventId: 'evt_1' }, 'event handled')`)
    expect(JSON.parse(stdout)).toMatchObject({ eventId: 'evt_1', msg: 'event handled' })
  })

  it('is a server that its health check finds alive and SIGTERM ends in order', async () => {
    const [command = '', ...args] = JSON.parse(argumentsOf('CMD')[0] ?? '')
    // The image's user can write nothing beside the code, so nothing compiled is kept there.
    expect([command, ...args].join(' ')).toBe(scripts.start?.replace(`${KEEP_COMPILED} `, ''))
    const server = spawn(command, args, {
      cwd: app,
      env: { ...env, STRIPE_WEBHOOK_SECRET: 'whsec_for_the_image', PORT: '0', ADMIN_PORT: '0' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => (output += chunk))
    const exited = once(server, 'exit')
    try {
      const url = await eventually('the server to listen', () => {
        if (server.exitCode !== null) throw new Error(output)
        return /"url":"(http:[^"]+)\/webhook"/.exec(output)?.[1]
      })
      const check = argumentsOf('HEALTHCHECK')[0]?.replace(/^.*?CMD /, '') ?? ''
      await run('sh', ['-c', check], { env: { ...env, PORT: new URL(url).port } })
      server.kill('SIGTERM')
      expect(await exited).toEqual([0, null])
      await expect(run('sh', ['-c', check], { env: { ...env, PORT: new URL(url).port } })).rejects.toMatchObject({
        code: 1,
      })
    } finally {
      server.kill('SIGKILL')
    }
  })
})

/** Copies what the Dockerfile copies, out of what .dockerignore lets through: it shuts out everything but the names after `!`. */
async function copyAsBuilt(context: string, app: string): Promise<void> {
  const letThrough = Array.from(read('.dockerignore').matchAll(/^!(.+)$/gm), ([, path = '']) => path)
  for (const path of letThrough) await cp(join(project, path), join(context, path), { recursive: true })
  const copied = argumentsOf('COPY').flatMap((rest) => rest.split(' ').slice(0, -1))
  for (const path of copied) await cp(join(context, path), join(app, path), { recursive: true })
}

/** Links each package that `npm ci --omit=dev` would install. */
async function linkProductionPackages(app: string): Promise<void> {
  const places = Object.keys(packages).filter((place) => place !== '' && !packages[place]?.dev)
  // Those in another package's own node_modules come with it.
  for (const place of places.filter((path) => path.lastIndexOf('node_modules/') === 0)) {
    await mkdir(dirname(join(app, place)), { recursive: true })
    await symlink(join(project, place), join(app, place))
  }
}
