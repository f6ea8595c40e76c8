import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
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

/** Instruction and arguments of each step of the Dockerfile. */
const steps = read('Dockerfile')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ instruction: line.split(' ', 1)[0] ?? '', rest: line.slice(line.indexOf(' ') + 1) }))
const argumentsOf = (instruction: string): string[] =>
  steps.filter((step) => step.instruction === instruction).map(({ rest }) => rest)
const copied = argumentsOf('COPY').flatMap((rest) => rest.split(' ').slice(0, -1))

describe('the Dockerfile', () => {
  it('starts from the Node that package.json asks for, unless another image is given', () => {
    const major = /^>=(\d+)$/.exec(JSON.parse(read('package.json')).engines.node)?.[1]
    expect(steps.slice(0, 2)).toEqual([
      { instruction: 'ARG', rest: `NODE_IMAGE=node:${major}-slim` },
      { instruction: 'FROM', rest: '$' + '{NODE_IMAGE}' },
    ])
  })

  it('installs production dependencies, without scripts, in a layer that a change of the source leaves alone', () => {
    const layers = steps.filter(({ instruction, rest }) => instruction === 'COPY' || rest.startsWith('npm '))
    expect(layers.map(({ rest }) => rest)).toEqual([
      'package.json package-lock.json ./',
      expect.stringMatching(/^npm ci --omit=dev --ignore-scripts\b/),
      'src ./src',
    ])
  })

  it('runs as a user without rights, who alone may read the data', () => {
    expect(argumentsOf('USER')).toEqual(['node'])
    expect(argumentsOf('VOLUME')).toEqual(['/data'])
    expect(argumentsOf('RUN')).toContain('mkdir --mode 700 /data && chown node:node /data')
    const order = steps.map(({ instruction }) => instruction)
    expect(order.indexOf('USER')).toBeGreaterThan(order.lastIndexOf('RUN'))
    // What comes after VOLUME does not change the folder any more.
    expect(order.indexOf('VOLUME')).toBeGreaterThan(order.lastIndexOf('RUN'))
  })

  it('publishes the port of deliveries and not the admin port', () => {
    expect(argumentsOf('EXPOSE')).toEqual(['4242'])
  })

  it('gets nothing but what it copies: no .env and no data', () => {
    const rules = read('.dockerignore').split('\n')
    const effective = rules.filter((rule) => rule !== '' && !rule.startsWith('#'))
    expect(effective).toEqual(['*', ...copied.map((path) => `!${path}`)])
  })
})

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

/** What the image holds under /app, without a registry: the production packages are links to the installed ones. */
describe('what is in the image', () => {
  let scratch: Awaited<ReturnType<typeof makeScratch>>
  let app: string
  let env: Record<string, string>
  beforeAll(async () => {
    scratch = await makeScratch()
    app = join(scratch.path, 'app')
    await mkdir(app)
    for (const path of copied) await cp(join(project, path), join(app, path), { recursive: true })
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

  const node = (script: string) => run('node', ['--input-type=module', '--eval', script], { cwd: app, env })

  it('is no development package', async () => {
    for (const name of Object.keys(JSON.parse(read('package.json')).devDependencies)) {
      await expect(node(`import.meta.resolve('${name}')`), name).rejects.toThrow('ERR_MODULE_NOT_FOUND')
    }
  })

  it('is all that each file of src/ imports', async () => {
    const programs = ['src/main.ts', 'src/cli.ts']
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
    expect([command, ...args].join(' ')).toBe(JSON.parse(read('package.json')).scripts.start.replace('exec ', ''))
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

/** Links each package that `npm ci --omit=dev` would install. */
async function linkProductionPackages(app: string): Promise<void> {
  const places = Object.keys(packages).filter((place) => place !== '' && !packages[place]?.dev)
  // Those in another package's own node_modules come with it.
  for (const place of places.filter((path) => path.lastIndexOf('node_modules/') === 0)) {
    await mkdir(dirname(join(app, place)), { recursive: true })
    await symlink(join(project, place), join(app, place))
  }
}
