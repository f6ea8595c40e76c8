import { type Transferable, Worker } from 'node:worker_threads'
import { ReceiverError } from '../../errors.ts'
import type { FromThread, ThreadFailure, ToThread } from './serve-thread.ts'

/** A worker thread that answers requests, and that another one replaces when it ends. */
export interface Thread<Request, Answer> {
  /** Starts it if it does not run. Rejects with what its `open` threw. */
  start(): Promise<void>
  /**
   * Starts it if it does not run. Rejects as the thread does, or with ReceiverError `store_unavailable` when it ends before it
   * answers or cannot be started.
   */
  ask(request: Request, transfer?: readonly Transferable[]): Promise<Answer>
  /** Ends it as soon as what it runs returns; what it was asked rejects at once. */
  kill(): void
  /** Lets it finish what it was asked; resolves once it has ended, or was killed after `withinMs`. */
  close(withinMs: number): Promise<void>
}

export interface ThreadOptions {
  /** Calls `serveThread`. */
  readonly script: URL
  /** Plain data for the thread's `open`, at each start. */
  readonly data: () => unknown
  /** Told when it ended though nobody closed it. */
  readonly onLost: (cause: string) => void
}

/** After a start that failed, further ones are refused for this long: a start costs 50 ms of a core. */
const RESTART_AFTER_MS = 500
/** Young objects of a thread live for a message: less room for them than by default costs no rate, and saves memory. */
const LIMITS = { maxYoungGenerationSizeMb: 8 }

interface Running<Request, Answer> {
  ask(request: Request, transfer: readonly Transferable[]): Promise<Answer>
  kill(): void
  close(): void
  /** Resolves once the thread is gone, and with it every file that it had open. */
  readonly ended: Promise<void>
}

export function createThread<Request, Answer>(options: ThreadOptions): Thread<Request, Answer> {
  let running: Running<Request, Answer> | undefined
  let starting: Promise<void> | undefined
  let before: Promise<void> = Promise.resolve()
  let failure: { readonly error: unknown; readonly at: number } | undefined

  async function begin(): Promise<void> {
    try {
      // The files of the one before are locked until it is gone.
      await before
      const started = await run<Request, Answer>(options, () => {
        running = undefined
      })
      running = started
      before = started.ended
      failure = undefined
    } catch (error) {
      failure = { error, at: performance.now() }
      throw error
    } finally {
      starting = undefined
    }
  }

  async function start(): Promise<void> {
    if (running !== undefined) return
    starting ??= begin()
    await starting
  }

  async function startAndAsk(request: Request, transfer: readonly Transferable[]): Promise<Answer> {
    try {
      if (failure !== undefined && performance.now() - failure.at < RESTART_AFTER_MS) throw failure.error
      await start()
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error)
      throw new ReceiverError('store_unavailable', `The inbox's thread does not start: ${cause}`)
    }
    return running === undefined ? startAndAsk(request, transfer) : running.ask(request, transfer)
  }

  return {
    start,
    ask: (request, transfer = []) => running?.ask(request, transfer) ?? startAndAsk(request, transfer),
    kill: () => running?.kill(),
    async close(withinMs) {
      await starting?.catch(() => undefined)
      const closing = running
      if (closing === undefined) return
      const timer = setTimeout(closing.kill, withinMs)
      closing.close()
      await closing.ended
      clearTimeout(timer)
    },
  }
}

/** Starts the thread; resolves once it is open. */
async function run<Request, Answer>(
  { script, data, onLost }: ThreadOptions,
  onGone: () => void,
): Promise<Running<Request, Answer>> {
  const worker = new Worker(script, { workerData: data(), resourceLimits: LIMITS })
  const waiting = new Map<number, PromiseWithResolvers<Answer>>()
  const opened = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  const send = (message: ToThread<Request>, transfer: readonly Transferable[] = []) =>
    worker.postMessage(message, [...transfer])
  let lastId = 0
  let isClosing = false
  let gone: ReceiverError | undefined

  function leave(cause: string): void {
    if (gone !== undefined) return
    gone = new ReceiverError('store_unavailable', `The inbox's thread has ended: ${cause}.`)
    onGone()
    opened.reject(gone)
    for (const { reject } of waiting.values()) reject(gone)
    waiting.clear()
    if (!isClosing) onLost(cause)
  }

  worker.on('message', (message: FromThread<Answer> | Readonly<Record<`watch:${string}`, unknown>>) => {
    if (message === 'opened') return opened.resolve()
    if ('failure' in message) {
      isClosing = true
      return opened.reject(toError(message.failure))
    }
    // Under `node --watch`, Node itself tells on this port which files the thread has loaded.
    if (!('answers' in message)) return
    for (const answered of message.answers) {
      const asker = waiting.get(answered.id)
      waiting.delete(answered.id)
      if ('failure' in answered) asker?.reject(toError(answered.failure))
      else asker?.resolve(answered.answer)
    }
    if (isClosing && waiting.size === 0) send('close')
  })
  worker.on('error', (error) => leave(error instanceof Error ? error.message : String(error)))
  worker.on('exit', (code) => {
    leave(`exit code ${code}`)
    ended.resolve()
  })
  await opened.promise

  return {
    ask(request, transfer) {
      if (gone !== undefined) return Promise.reject(gone)
      const asker = Promise.withResolvers<Answer>()
      lastId += 1
      waiting.set(lastId, asker)
      send({ id: lastId, request }, transfer)
      return asker.promise
    },
    kill() {
      leave('it did not answer')
      void worker.terminate()
    },
    close() {
      isClosing = true
      if (waiting.size === 0) send('close')
    },
    ended: ended.promise,
  }
}

/** The error that a thread's failure stands for. */
export function toError(failure: ThreadFailure): Error {
  return 'code' in failure ? new ReceiverError(failure.code, failure.message) : failure.error
}
