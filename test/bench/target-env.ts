import { SECRET } from './deliveries.ts'

/** Requests at once, of each target. */
const CONCURRENCY = 64

export const nameOfTarget = (index: number) => `target-${index}`

/** What a server forwards to those URLs by: everything, to each of them. */
export const targetEnv = (urls: readonly string[]): Readonly<Record<string, string>> => ({
  TARGETS: new URL('./bench-targets.ts', import.meta.url).pathname,
  BENCH_TARGET_URLS: urls.join(),
  BENCH_TARGET_SECRET: SECRET,
  BENCH_CONCURRENCY: String(CONCURRENCY),
})
