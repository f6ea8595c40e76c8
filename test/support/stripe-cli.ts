import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import platforms from '@stripe/cli/platforms.json' with { type: 'json' }
import { eventually } from './eventually.ts'

/** Where and against what a CLI runs. */
export interface CliPlace {
  /** Its home and working folder. */
  readonly home: string
  readonly apiBase: string
  readonly apiKey: string
  /** Of the proxy that it would go through to anywhere but the loopback. */
  readonly proxyUrl: string
}

export interface StripeCli {
  /** Everything it wrote so far, to both streams. */
  text(): string
  /** Ends it with SIGTERM, and by force when that takes over 5 s; gives its exit code, null after a signal. Safe to repeat. */
  stop(): Promise<number | null>
}

/** Path of the binary in the package that npm installed for the platform, such as `linux-x64`. */
export function findStripeCli(platform = `${process.platform}-${process.arch}`): string {
  const found = new Map(Object.entries(platforms)).get(platform)
  if (found === undefined) {
    const known = Object.keys(platforms).join(', ')
    throw new Error(
      `@stripe/cli has no binary for ${platform}, so these tests cannot run here; it has those of ${known}`,
    )
  }
  try {
    return createRequire(import.meta.resolve('@stripe/cli/package.json')).resolve(`${found.pkg}/bin/${found.bin}`)
  } catch (cause) {
    throw new Error(`${found.pkg} is not installed; run \`npm ci\`, without --omit=optional`, { cause })
  }
}

/** Runs `stripe listen` and resolves once it says that it is ready; rejects with its output when it ends before. */
export async function startListening(
  place: CliPlace,
  args: readonly string[],
  { isQuiet = true }: { readonly isQuiet?: boolean } = {},
): Promise<StripeCli> {
  const cli = startCli(place, ['listen', ...args, ...(isQuiet ? ['--skip-update'] : [])], isQuiet)
  try {
    await eventually('the Stripe CLI to be ready', () => {
      if (!cli.isRunning()) throw new Error(`the Stripe CLI ended before it was ready:\n${cli.text()}`)
      return cli.text().includes('Ready!')
    })
    return cli
  } catch (error) {
    await cli.stop()
    throw error
  }
}

/** What `stripe listen --print-secret` prints, less the end of the line. */
export async function printSecret(place: CliPlace): Promise<string> {
  const cli = startCli(place, ['listen', '--print-secret'])
  const code = await cli.exited
  if (code !== 0) throw new Error(`expected exit code 0 of --print-secret, and ${code} came:\n${cli.text()}`)
  return cli.text().trimEnd()
}

/** `isQuiet` turns its telemetry off. */
function startCli({ home, apiBase, apiKey, proxyUrl }: CliPlace, args: readonly string[], isQuiet = true) {
  const child = spawn(findStripeCli(), [...args, '--api-base', apiBase], {
    cwd: home,
    env: {
      HOME: home,
      XDG_CONFIG_HOME: home,
      STRIPE_API_KEY: apiKey,
      HTTP_PROXY: proxyUrl,
      HTTPS_PROXY: proxyUrl,
      ...(isQuiet ? { STRIPE_CLI_TELEMETRY_OPTOUT: '1' } : {}),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      text += chunk
    })
  }
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', resolve)
  })
  async function stop(): Promise<number | null> {
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
    const code = await exited
    clearTimeout(timer)
    return code
  }
  return {
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    text: () => text,
    stop,
  }
}
