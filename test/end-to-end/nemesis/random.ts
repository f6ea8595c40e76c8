/** Chance that a seed decides. */
export interface Random {
  /** From 0 to 1. */
  (): number
  /** One of them. */
  pick<T>(among: readonly T[]): T
  /** All of them in some order. */
  shuffle<T>(given: readonly T[]): T[]
}

/** Mulberry32: the same numbers for the same seed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  function random(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  function shuffle<T>(given: readonly T[]): T[] {
    const drawn = given.map((item) => ({ item, lot: random() }))
    return drawn.sort((a, b) => a.lot - b.lot).map(({ item }) => item)
  }
  function pick<T>(among: readonly T[]): T {
    const [picked] = shuffle(among)
    if (picked === undefined) throw new Error('there is nothing to pick from')
    return picked
  }
  return Object.assign(random, { pick, shuffle })
}
