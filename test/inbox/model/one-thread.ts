import { ReceiverError } from '../../../src/errors.ts'
import type { Answered, Served } from '../../../src/inbox/sqlite/serve-thread.ts'
import type { Thread, ThreadOptions } from '../../../src/inbox/sqlite/thread.ts'

type Open = (data: unknown, reply: (answers: readonly Answered<unknown>[]) => void) => Served<unknown>

let opened: Open | undefined
const scripts = new Map<string, Promise<Open>>()

/** For `serveThread`: what a script serves, it serves in this thread. */
export function serveHere(open: Open): void {
  opened = open
}

async function load(script: URL): Promise<Open> {
  // Evaluating it calls serveHere.
  await import(script.href)
  if (opened === undefined) throw new Error(`${script.href} serves nothing`)
  return opened
}

/**
 * For `createThread`: runs the script in this thread, so that a process can be lost in 5 ms instead of 50, and the test's clock is
 * the store's.
 */
export function createThreadHere<Request, Answer>({ script, data }: ThreadOptions): Thread<Request, Answer> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  let served: Served<unknown> | undefined
  let lastId = 0

  async function start(): Promise<void> {
    if (served !== undefined) return
    const loading = scripts.get(script.href) ?? load(script)
    scripts.set(script.href, loading)
    const open = await loading
    served ??= open(data(), (answers) => {
      for (const answered of answers) {
        const asker = waiting.get(answered.id)
        waiting.delete(answered.id)
        if (!('failure' in answered)) asker?.resolve(answered.answer)
        else if ('code' in answered.failure)
          asker?.reject(new ReceiverError(answered.failure.code, answered.failure.message))
        else asker?.reject(answered.failure.error)
      }
    })
  }

  return {
    start,
    async ask(request) {
      await start()
      lastId += 1
      const asker = Promise.withResolvers<unknown>()
      waiting.set(lastId, asker)
      served?.handle({ id: lastId, request }, () => undefined)
      // The script answers each request with what the thread's user takes it for, as in a thread of its own.
      return (await asker.promise) as Answer
    },
    kill() {
      throw new Error('what runs in this thread cannot hang without it')
    },
    async close() {
      served?.close()
      served = undefined
    },
  }
}
