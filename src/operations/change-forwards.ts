import type { NewForward } from '../event.ts'
import type { ForwardFilter, ForwardState } from '../inbox/forwards.ts'
import type { EntryFilter, Inbox } from '../inbox/inbox.ts'
import { CHUNK_SIZE } from './change-entries.ts'

/** Whether a target takes an event, by its facts and its body as text: the forward, or undefined. */
export type ChooseForward = (
  entry: {
    readonly type: string
    readonly account: string | null
    readonly shape: 'snapshot' | 'thin'
    readonly livemode: boolean | null
  },
  text: string,
) => NewForward | undefined

interface Running {
  /** Counts, and changes nothing. */
  readonly isRehearsal: boolean
  /** Told how many were looked at so far. */
  readonly onProgress: (count: number) => void
}

/** States in which a replay of forwards means them unless it names others: those that nothing but a person sends on. */
export const replayedStates: readonly ForwardState[] = ['dead', 'held']

/** Sends what matches to the target anew; gives how many those are. */
export async function replayForwards(
  inbox: Inbox,
  filter: ForwardFilter & { readonly states: readonly ForwardState[] },
  { isRehearsal, onProgress }: Running,
): Promise<number> {
  let replayed = 0
  let looked = 0
  for (let before: string | undefined; ; ) {
    const found = await inbox.forwards.list(filter, { limit: CHUNK_SIZE, ...(before !== undefined && { before }) })
    const eventIds = found.map(({ eventId }) => eventId)
    const done = isRehearsal ? eventIds : await inbox.forwards.replay(filter.target, eventIds, filter.states)
    replayed += done.length
    looked += found.length
    onProgress(looked)
    if (found.length < CHUNK_SIZE) return replayed
    before = eventIds.at(-1)
  }
}

/** Adds forwards of what is here and the target takes, newest first; gives how many were added, or would be, as far as can be told. */
export async function backfillForwards(
  inbox: Inbox,
  filter: EntryFilter,
  choose: ChooseForward,
  { isRehearsal, onProgress }: Running,
): Promise<number> {
  let added = 0
  let looked = 0
  for (let before: string | undefined; ; ) {
    const found = await inbox.list(filter, { limit: CHUNK_SIZE, ...(before !== undefined && { before }) })
    const late = []
    for (const { eventId, state } of found) {
      const detail = state === 'parked' ? undefined : await inbox.get(eventId)
      if (detail === undefined || detail.body === null) continue
      const forward = choose(detail.entry, Buffer.from(detail.body).toString('utf8'))
      const isThere = detail.forwards.some(({ target }) => target === forward?.target)
      if (forward !== undefined && !isThere) late.push({ ...forward, eventId })
    }
    added += isRehearsal ? late.length : (await inbox.forwards.add(late)).length
    looked += found.length
    onProgress(looked)
    if (found.length < CHUNK_SIZE) return added
    before = found.at(-1)?.eventId
  }
}
