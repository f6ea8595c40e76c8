import { openReader } from '../../../src/inbox/sqlite/reader.ts'
import type { Answered, Served } from '../../../src/inbox/sqlite/serve-thread.ts'
import { type createThread, type Thread, type ThreadOptions, toError } from '../../../src/inbox/sqlite/thread.ts'
import { openWriter } from '../../../src/inbox/sqlite/writer.ts'

export interface ThreadsHere {
  readonly createThread: typeof createThread
  /** Ends them all; each starts anew when it is asked something. */
  kill(): void
}

/**
 * For openSqliteInbox: what its threads do, all of it, but in this one. A process is lost in 2 ms so, not in 100, and the test's clock
 * is the store's.
 */
export function createThreadsHere(): ThreadsHere {
  const ends = new Set<() => void>()
  return {
    createThread<Request, Answer>({ script, data }: ThreadOptions): Thread<Request, Answer> {
      // The inbox starts each script with what its `open` takes, and asks it what that answers.
      const open = (script.href.endsWith('/writer-thread.ts') ? openWriter : openReader) as unknown as (
        data: unknown,
        reply: (answers: readonly Answered<Answer>[]) => void,
      ) => Served<Request>
      const waiting = new Map<number, PromiseWithResolvers<Answer>>()
      let served: Served<Request> | undefined
      let lastId = 0

      function start(): Served<Request> {
        served ??= open(data(), (answers) => {
          for (const answered of answers) {
            const asker = waiting.get(answered.id)
            waiting.delete(answered.id)
            if ('failure' in answered) asker?.reject(toError(answered.failure))
            else asker?.resolve(answered.answer)
          }
        })
        ends.add(end)
        return served
      }

      function end(): void {
        ends.delete(end)
        served?.close()
        served = undefined
      }

      return {
        start: async () => void start(),
        ask(request: Request) {
          const asker = Promise.withResolvers<Answer>()
          lastId += 1
          waiting.set(lastId, asker)
          start().handle({ id: lastId, request }, () => undefined)
          return asker.promise
        },
        kill: end,
        close: async () => end(),
      }
    },
    kill() {
      for (const end of ends) end()
    },
  }
}
