const FIRST_DELAY_MS = 10_000
const LONGEST_DELAY_MS = 6 * 60 * 60 * 1000
const SPREAD = 0.2

/**
 * Milliseconds until the next attempt: min(10 s × 3^(attempt − 1), 6 h) ± 20 %, or undefined when the attempts are used up.
 * Twenty attempts span about three days, as Stripe's own retries do. `attempt` counts from 1; `random` gives 0 to 1.
 */
export function retryDelay(attempt: number, maxAttempts: number, random: () => number): number | undefined {
  if (attempt >= maxAttempts) return undefined
  const delayMs = Math.min(FIRST_DELAY_MS * 3 ** (attempt - 1), LONGEST_DELAY_MS)
  return Math.round(delayMs * (1 + SPREAD * (2 * random() - 1)))
}
