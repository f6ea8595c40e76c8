import { type News, storeBack, storeDown } from './news.ts'

/** Follows whether the store is there. Instants are milliseconds of any one clock. */
export interface Outage {
  /** A delivery was answered 503. */
  onRefused(): void
  /** What is to be told after a look at the store, if anything. */
  onLooked(isUp: boolean, now: number): News | undefined
}

const TOLD_AFTER_MS = 60_000

/** A store that is down for a minute is told of, and then that it is back; shorter ones nobody has to know. */
export function createOutage(): Outage {
  let downSince: number | undefined
  let wasTold = false
  /** Since it was last seen up. */
  let refused = 0

  function end(now: number): News | undefined {
    const news = downSince !== undefined && wasTold ? storeBack(now - downSince, refused) : undefined
    downSince = undefined
    wasTold = false
    refused = 0
    return news
  }

  return {
    onRefused() {
      refused += 1
    },
    onLooked(isUp, now) {
      if (isUp) return end(now)
      downSince ??= now
      if (wasTold || now - downSince < TOLD_AFTER_MS) return undefined
      wasTold = true
      return storeDown(now - downSince, refused)
    },
  }
}
