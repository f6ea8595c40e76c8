/** Does the work again and again until it is disposed of, which waits for its end and rejects with what went wrong meanwhile. */
export function repeat(work: (signal: AbortSignal) => Promise<void>): AsyncDisposable {
  const stop = new AbortController()
  const working = (async () => {
    while (!stop.signal.aborted) await work(stop.signal)
  })()
  // It is told to whoever disposes.
  working.catch(() => undefined)
  return {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await working
    },
  }
}
