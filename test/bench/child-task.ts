import { fork } from 'node:child_process'
import { once } from 'node:events'

type Reply<Result> = { readonly result: Result } | { readonly error: string }

/** Runs a script that calls `serveTask` in a process of its own, and resolves with what its work gives. Both must be plain data. */
export async function runTask<Request extends object, Result>(script: URL, request: Request): Promise<Result> {
  const child = fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] })
  const kill = () => void child.kill('SIGKILL')
  process.once('exit', kill)
  try {
    const replied = once(child, 'message')
    const ended = once(child, 'exit').then(([code]) => {
      throw new Error(`${script.pathname} ended with ${code} before it replied`)
    })
    child.send(request)
    // Script and caller name the same types: the script's `serveTask` sends a reply of this one.
    const [reply] = (await Promise.race([replied, ended])) as [Reply<Result>]
    ended.catch(() => undefined)
    if ('error' in reply) throw new Error(reply.error)
    return reply.result
  } finally {
    process.off('exit', kill)
    kill()
  }
}

/** The script's side: does the work for the one request that comes. */
export function serveTask<Request extends object, Result>(work: (request: Request) => Promise<Result>): void {
  process.once('message', async (request: Request) => {
    process.send?.(await reply(work, request))
  })
}

async function reply<Request, Result>(
  work: (request: Request) => Promise<Result>,
  request: Request,
): Promise<Reply<Result>> {
  try {
    return { result: await work(request) }
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
  }
}
