/** How many requests may begin. Instants are milliseconds of any one clock. */
export interface Rate {
  /** As many as may begin now; Infinity without a limit. */
  room(now: number): number
  take(count: number): void
  /** Until the next may begin; Infinity while one may. */
  waitMs(now: number): number
}

const BURSTS_PER_SECOND = 10

/** At most so many in a second, spread over it: a tenth of them at once, one at least. */
export function createRate(perSecond: number | undefined): Rate {
  return perSecond === undefined ? UNLIMITED : createLimited(perSecond)
}

const UNLIMITED: Rate = { room: () => Infinity, take: () => undefined, waitMs: () => Infinity }

function createLimited(perSecond: number): Rate {
  const most = Math.max(1, perSecond / BURSTS_PER_SECOND)
  let tokens = most
  let since: number | undefined

  function refill(now: number): void {
    tokens = Math.min(most, tokens + ((now - (since ?? now)) * perSecond) / 1_000)
    since = now
  }

  return {
    room(now) {
      refill(now)
      return Math.floor(tokens)
    },
    take(count) {
      tokens -= count
    },
    waitMs(now) {
      refill(now)
      return tokens >= 1 ? Infinity : ((1 - tokens) * 1_000) / perSecond
    },
  }
}
