import type { Lease } from '../event.ts'

/**
 * The leases that this process was given, and has neither settled nor given back. A store whose answer was lost may have given more:
 * nobody works on those.
 */
export interface HeldLeases {
  add<T extends Lease>(lease: T): T
  delete(lease: Lease): void
  /** `<token>:<attempt>` of each, which is `<seq>:<replays>:<attempt>` in both stores. */
  names(): string[]
}

export function createHeldLeases(): HeldLeases {
  const names = new Set<string>()
  const nameOf = ({ token, attempt }: Lease) => `${token}:${attempt}`
  return {
    add(lease) {
      names.add(nameOf(lease))
      return lease
    },
    delete: (lease) => void names.delete(nameOf(lease)),
    names: () => [...names],
  }
}
