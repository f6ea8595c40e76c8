import { env, type Targets } from '../../src/event.ts'

// One target for each URL of BENCH_TARGET_URLS: `target-0` and on, each of which takes everything.

const urls = (process.env.BENCH_TARGET_URLS ?? '').split(',')

export const targets = Object.fromEntries(
  urls.map((url, index) => [
    `target-${index}`,
    { url, secrets: [env('BENCH_TARGET_SECRET')], sign: 'stripe', concurrency: Number(process.env.BENCH_CONCURRENCY) },
  ]),
) satisfies Targets
