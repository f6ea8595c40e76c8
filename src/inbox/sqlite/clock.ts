/** While the clock is behind what it once was, the store's time goes on by this share of the time that passes. */
const CATCHING_UP = 0.9

/**
 * Milliseconds since the epoch that never go back and never stand still: those of the clock, and a little slower than time passes
 * while that has been set back, until it has caught up. What was due stays due, and what waits does so for hardly longer than meant.
 */
export function createClock(
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
): () => number {
  let last = wall()
  let lastAt = monotonic()
  return function now() {
    const at = monotonic()
    last = Math.max(wall(), last + (at - lastAt) * CATCHING_UP)
    lastAt = at
    return Math.floor(last)
  }
}
