import { type Figures, WAIT_LIMITS_MS } from '../inbox/figures.ts'
import { formatDuration } from '../operations/duration.ts'

export type Minute = Figures & { readonly at: Date }

/** How often something was counted, and when last. */
export interface Count {
  readonly name: string
  readonly count: number
  readonly lastAt: Date
}

/** What a name was counted over all minutes, most often first. */
export function countNames(minutes: readonly Minute[], of: 'refused' | 'proven' | 'versions'): Count[] {
  const counts = new Map<string, Count>()
  // Oldest first, so the last one is the newest.
  for (const { at, [of]: names } of minutes)
    for (const [name, count] of Object.entries(names))
      counts.set(name, { name, count: count + (counts.get(name)?.count ?? 0), lastAt: at })
  return [...counts.values()].sort((one, other) => other.count - one.count)
}

/** Within which time that share of the entries, from 0 to 1, was handled; `–` when none was. */
export function describeWait(minutes: readonly Minute[], share: number): string {
  const waits = [...WAIT_LIMITS_MS, Infinity].map((_, index) =>
    minutes.reduce((sum, minute) => sum + (minute.waits[index] ?? 0), 0),
  )
  const total = waits.reduce((sum, count) => sum + count, 0)
  if (total === 0) return '–'
  const upTo = (index: number) => waits.slice(0, index + 1).reduce((sum, count) => sum + count, 0)
  const index = waits.findIndex((_, place) => upTo(place) >= share * total)
  const limit = WAIT_LIMITS_MS[index]
  return limit === undefined ? `over ${formatDuration(WAIT_LIMITS_MS.at(-1) ?? 0)}` : `≤ ${formatDuration(limit)}`
}

/** One point of a plot: how many a minute, on average over its time. */
export interface Point {
  readonly at: Date
  readonly accepted: number
  readonly handled: number
  readonly failed: number
}

/** A point for each step of the time until now, those without figures too. */
export function toPoints(minutes: readonly Minute[], sinceMs: number, stepMs: number, now = Date.now()): Point[] {
  const first = Math.floor((now - sinceMs) / stepMs)
  const sums = Array.from({ length: Math.floor(now / stepMs) - first + 1 }, () => ({
    accepted: 0,
    handled: 0,
    failed: 0,
  }))
  for (const { at, accepted, handled, failed } of minutes) {
    const sum = sums[Math.floor(at.getTime() / stepMs) - first]
    if (sum === undefined) continue
    sum.accepted += accepted
    sum.handled += handled
    sum.failed += failed
  }
  const perMinute = (count: number) => Math.round((count * 60_000 * 10) / stepMs) / 10
  return sums.map(({ accepted, handled, failed }, index) => ({
    at: new Date((first + index) * stepMs),
    accepted: perMinute(accepted),
    handled: perMinute(handled),
    failed: perMinute(failed),
  }))
}
