/** Shared by requests, so that a burst never takes more of one of Stripe's rate limits than the budget. */
export interface RequestBudget {
  /** Resolves when it is the caller's turn to send one request, in the order of calls; rejects with the signal's reason. */
  take(signal?: AbortSignal): Promise<void>
}

/** Requests that may go out together after a pause, as a share of a second's. */
const BURST_SHARE = 0.1

/** A token bucket: `perSecond` requests (more than 0) in a second, and a tenth more at once after a pause. */
export function createRequestBudget(perSecond: number, now: () => number = () => performance.now()): RequestBudget {
  const capacity = Math.max(1, perSecond * BURST_SHARE)
  const waiting = new Set<() => void>()
  let tokens = capacity
  let countedAt = now()
  let timer: NodeJS.Timeout | undefined

  function refill(): void {
    const at = now()
    tokens = Math.min(capacity, tokens + ((at - countedAt) / 1_000) * perSecond)
    countedAt = at
  }

  function letThrough(): void {
    timer = undefined
    refill()
    for (const go of waiting) {
      if (tokens < 1) break
      tokens -= 1
      waiting.delete(go)
      go()
    }
    if (waiting.size > 0) timer = setTimeout(letThrough, Math.ceil(((1 - tokens) / perSecond) * 1_000))
  }

  return {
    async take(signal) {
      signal?.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const giveUp = () => {
        // Its place goes to the next, so that aborted attempts cost those after them nothing.
        waiting.delete(resolve)
        reject(signal?.reason)
      }
      waiting.add(resolve)
      signal?.addEventListener('abort', giveUp, { once: true })
      if (timer === undefined) letThrough()
      await promise.finally(() => signal?.removeEventListener('abort', giveUp))
    },
  }
}
