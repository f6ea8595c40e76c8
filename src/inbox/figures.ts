/** How long figures are kept. */
export const FIGURES_MS = 8 * 86_400_000

/** What a process counted in some minute, about. Names are those that logs and metrics use. */
export interface Figures {
  readonly accepted: number
  readonly handled: number
  /** Attempts that failed, to be retried or not. */
  readonly failed: number
  /** How many took at most so long from stored to handled, by the limits of `WAIT_LIMITS_MS`, and one more for those that took longer. */
  readonly waits: readonly number[]
  /** Refused deliveries by code. */
  readonly refused: Readonly<Record<string, number>>
  /** Accepted deliveries by the secret that proved them, as `1:…abcd`, with the route before it. */
  readonly proven: Readonly<Record<string, number>>
  /** Accepted snapshot events by the API version that they were rendered in. */
  readonly versions: Readonly<Record<string, number>>
}

export const WAIT_LIMITS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 15_000, 60_000, 300_000, 3_600_000,
]
