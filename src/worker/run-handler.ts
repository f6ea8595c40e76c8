export interface HandlerRun {
  /** Whether it works through a promise or at once is its own affair. */
  readonly run: (signal: AbortSignal) => void | Promise<void>
  readonly timeoutMs: number
  /** For so much longer than its time limit it may hold on. */
  readonly overrunMs: number
  readonly shutdown: AbortSignal
  readonly overrunning: Overrunning
}

/** Told of a handler that does not end at its time limit. */
export interface Overrunning {
  onBegin(): void
  /** It ended after all, or the process stops. */
  onEnd(): void
  /** It holds on for longer than it may: nothing but the end of the process frees its place and its lane. */
  onStuck(): void
}

/** The process stops: the attempt is made again by the next one. */
export class ShutdownAbort extends Error {
  override readonly name = 'ShutdownAbort'
}

/**
 * Runs a handler to its end. Rejects with what it threw; with an Error once it ends after its time limit, however it does; with
 * ShutdownAbort at once when the process stops. Until it ends nothing else may run in its place or its lane: that it was told to end
 * does not end it.
 */
export async function runHandler({ run, timeoutMs, overrunMs, shutdown, overrunning }: HandlerRun): Promise<void> {
  const limit = new AbortController()
  const running = run(limit.signal)
  if (running === undefined) return
  const stopped = Promise.withResolvers<never>()
  let tooLate: Error | undefined
  let stuck: NodeJS.Timeout | undefined

  function onTimeUp(): void {
    tooLate = new Error(`no result within ${timeoutMs} ms (HANDLER_TIMEOUT_MS)`)
    limit.abort(tooLate)
    overrunning.onBegin()
    stuck = setTimeout(overrunning.onStuck, overrunMs)
  }
  function onShutdown(): void {
    const reason = tooLate ?? new ShutdownAbort('cut off because the server stopped')
    limit.abort(reason)
    stopped.reject(reason)
  }

  const timer = setTimeout(onTimeUp, timeoutMs)
  shutdown.addEventListener('abort', onShutdown, { once: true })
  try {
    await Promise.race([running, stopped.promise])
    if (tooLate !== undefined) throw tooLate
  } catch (error) {
    throw tooLate ?? error
  } finally {
    clearTimeout(timer)
    clearTimeout(stuck)
    shutdown.removeEventListener('abort', onShutdown)
    if (tooLate !== undefined) overrunning.onEnd()
  }
}
