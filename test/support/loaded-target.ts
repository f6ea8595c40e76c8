import type { LoadedTarget } from '../../src/targets/load.ts'

export const TARGET_SECRET = 'whsec_target_secret_1'

/** A target that takes everything and signs as Stripe does, unless told otherwise. */
export function loadedTarget(overrides: Partial<LoadedTarget> = {}): LoadedTarget {
  return {
    name: 'shop',
    url: new URL('http://127.0.0.1:1/stripe'),
    secrets: [TARGET_SECRET],
    sign: 'stripe',
    types: undefined,
    accounts: undefined,
    shapes: undefined,
    mode: undefined,
    where: undefined,
    concurrency: 8,
    perSecond: undefined,
    timeoutMs: 10_000,
    order: undefined,
    final: [],
    ca: undefined,
    ...overrides,
  }
}
