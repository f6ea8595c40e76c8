import { setTimeout as delay } from 'node:timers/promises'

/** Resolves with the first value that is neither undefined nor false; rejects with `what` when none came within the time. */
export async function eventually<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for: ${what}`)
    await delay(5)
  }
}
