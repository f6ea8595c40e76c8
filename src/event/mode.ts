import type { EntryFacts, NewEntry } from '../event.ts'

/** Which events this server handles, by STRIPE_MODE. */
export type Mode = 'any' | 'live' | 'test'

/** An event of the other mode is parked, however it came. One that does not say its mode is taken for one of this server's. */
export function judgeMode({ livemode }: Pick<EntryFacts, 'livemode'>, mode: Mode): Pick<NewEntry, 'state' | 'reason'> {
  if (mode === 'any' || livemode === null || livemode === (mode === 'live')) return { state: 'pending', reason: null }
  return { state: 'parked', reason: `${livemode ? 'live' : 'test'} event on a ${mode} server (STRIPE_MODE)` }
}
