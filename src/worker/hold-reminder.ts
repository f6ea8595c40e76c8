import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { type Repeating, repeat } from '../repeat.ts'

const LOOK_MS = 30_000
const REMIND_MS = 3_600_000

/** Warns of a hold once it begins and each hour until it ends: nobody is to forget it. */
export function startHoldReminder(
  { inbox, log }: { readonly inbox: Pick<Inbox, 'held'>; readonly log: Log },
  { lookMs = LOOK_MS, remindMs = REMIND_MS } = {},
): Repeating {
  let remindAt: number | undefined

  async function look(): Promise<void> {
    const hold = await inbox.held()
    if (hold === null) {
      if (remindAt !== undefined) log.info('handling goes on: the hold has ended')
      remindAt = undefined
      return
    }
    if (remindAt !== undefined && performance.now() < remindAt) return
    remindAt = performance.now() + remindMs
    const { who, reason, forMs } = hold
    log.warn(
      { who, reason, minutes: Math.round(forMs / 60_000) },
      'handling is held: deliveries are stored, and no handler starts until `events resume`',
    )
  }

  // A store that is down is told of by everything else.
  return repeat(lookMs, () => look().catch(() => undefined))
}
