/** Stripe's Unix seconds as an ISO instant in UTC; null when there are none. */
export function isoTime(seconds: number | null | undefined): string | null {
  return typeof seconds === 'number' ? new Date(seconds * 1_000).toISOString() : null
}
