import type { Lease } from '../event.ts'

/**
 * The leases that this process was given, and has neither settled nor given back. A store whose answer was lost may have given more:
 * nobody works on those.
 */
export interface HeldLeases {
  add<T extends Held>(lease: T): T
  delete(lease: Held): void
  /** `<token>:<attempt>` of each: in both stores `<seq>:<replays>:<attempt>`, and of a forward `<seq>:<target>:<replays>:<attempt>`. */
  names(): string[]
}

type Held = Pick<Lease, 'token' | 'attempt'>

export function createHeldLeases(): HeldLeases {
  const names = new Set<string>()
  const nameOf = ({ token, attempt }: Held) => `${token}:${attempt}`
  return {
    add(lease) {
      names.add(nameOf(lease))
      return lease
    },
    delete: (lease) => void names.delete(nameOf(lease)),
    names: () => [...names],
  }
}
