import { type News, signaturesRefused } from './news.ts'

/** So many refusals for a signature within the time are strangers, or a retry; more are to be told of. */
export const MAX_REFUSALS = 5
export const WITHIN_MS = 15 * 60_000

/** Told of each refusal, gives what is to be told to people once there are too many. Instants are milliseconds of any one clock. */
export function createRefusalRate(): (code: string, now: number) => News | undefined {
  /** The last ones, one more than are nothing to tell. */
  let recent: { readonly code: string; readonly at: number }[] = []
  let isPassed = false

  return (code, now) => {
    recent = [...recent, { code, at: now }].slice(-MAX_REFUSALS - 1)
    const [first] = recent
    const wasPassed = isPassed
    isPassed = recent.length > MAX_REFUSALS && first !== undefined && now - first.at <= WITHIN_MS
    if (!isPassed) return undefined
    const codes = wasPassed ? [code] : recent.map((refusal) => refusal.code)
    const counts = Map.groupBy(codes, (each) => each)
    return signaturesRefused(Object.fromEntries(Array.from(counts, ([each, { length }]) => [each, length])))
  }
}
