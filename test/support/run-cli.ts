import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { processEnvironment } from './process-environment.ts'

const cliPath = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))

export interface CliResult {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** What someone types on the terminal; without it there is none. */
  readonly typed?: string
  /** How wide the terminal is that standard output passes for; without it that is a pipe. */
  readonly columns?: number
}

/** Makes pipes pass for a terminal: what asks, or fits lines into a width, goes by nothing else. */
function terminal({ typed, columns }: CliOptions): Readonly<Record<string, string>> {
  const lines = [
    ...(typed === undefined ? [] : ['process.stdin.isTTY=process.stderr.isTTY=true']),
    ...(columns === undefined ? [] : [`process.stdout.columns=${columns}`]),
  ]
  return lines.length === 0 ? {} : { NODE_OPTIONS: `--import=data:text/javascript,${lines.join(';')}` }
}

/**
 * Runs `src/cli.ts` as a process of its own and resolves when it has ended. Nothing of this process's environment but what node
 * needs reaches it, and the default working folder holds no `.env`: a developer's own settings never reach a test.
 */
export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const { env, cwd = tmpdir(), typed } = options
  const child = spawn(process.execPath, [cliPath, ...args], {
    cwd,
    env: { ...processEnvironment(), ...env, ...terminal(options) },
  })
  // It may end without having read.
  child.stdin.on('error', () => {})
  child.stdin.end(typed)
  const closed = once(child, 'close')
  const [stdout, stderr] = await Promise.all([child.stdout.toArray(), child.stderr.toArray()])
  await closed
  return { code: child.exitCode, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}
