import { setTimeout as delay } from 'node:timers/promises'
import { ReceiverError } from '../errors.ts'
import type { EntryState } from '../event.ts'
import type { EntryFilter, EntryPresence, Inbox } from '../inbox/inbox.ts'

/** What an operator does to entries. */
export interface Change {
  /** Its words, for messages: `replay`, `replaying`, `replayed`. */
  readonly verb: string
  readonly doing: string
  readonly done: string
  /** The states of an entry in which it can be done. */
  readonly possibleIn: readonly EntryState[]
  /** Its handler runs then: that needs the body, and means nothing for what was answered in its delivery. */
  readonly isRun: boolean
  /** The states that a filter means which names none. */
  readonly meant: readonly EntryState[]
  /** Takes a few hundred ids of entries in these states, and gives those it was done to. */
  apply(inbox: Inbox, eventIds: readonly string[], states: readonly EntryState[]): Promise<string[]>
}

/** Which entries: named ones, or all that match. `fields` is the filter as it was chosen, for the record. */
export type Selection =
  | { readonly eventIds: readonly string[] }
  | { readonly filter: EntryFilter; readonly fields?: string }

/** Why an entry was left alone: the state that it is in, or what else keeps it. */
export type Obstacle = EntryState | 'unknown' | 'without body' | 'answered' | 'changing'

/** What became of a change, or of its rehearsal. */
export interface ChangeResult {
  readonly changed: number
  readonly leftAlone: readonly { readonly eventId: string; readonly obstacle: Obstacle }[]
  /** Of a rehearsal: what it would change, largest group first. */
  readonly groups?: readonly ChangeGroup[]
}

/** How many entries of one kind a change would take. */
export interface ChangeGroup {
  readonly state: EntryState
  readonly type: string
  readonly entries: number
}

/** Told after each chunk how many entries were looked at so far. */
type OnProgress = (count: number) => void

/** The store takes a few hundred ids a call, so that a server beside gets its turn to write. */
export const CHUNK_SIZE = 200
/**
 * A pause as long as its chunk took, and at least this, lets the server write: beside a replay of 100,000 its slowest add then
 * took about 50 ms, and 330 ms without pauses.
 */
export const MIN_PAUSE_MS = 10

/**
 * Changes what was selected, chunk by chunk; the error of a failing store tells how many were changed before it.
 * Ends even while a server settles replayed entries again: each entry is met once, newest first.
 */
export async function changeEntries(
  inbox: Inbox,
  change: Change,
  selection: Selection,
  onProgress: OnProgress = () => {},
): Promise<ChangeResult> {
  const states = statesOf(change, selection)
  const leftAlone: { eventId: string; obstacle: Obstacle }[] = []
  let changed = 0
  try {
    for await (const eventIds of readChunks(inbox, selection, states)) {
      const startedAt = performance.now()
      const taken = new Set(await change.apply(inbox, eventIds, states))
      const tookMs = performance.now() - startedAt
      changed += taken.size
      const left = eventIds.filter((eventId) => !taken.has(eventId))
      const present = await lookUp(inbox, left)
      for (const eventId of left) {
        // What nothing keeps from it now was in another state when it was tried.
        const obstacle = findObstacle(present.get(eventId), change, states) ?? 'changing'
        leftAlone.push({ eventId, obstacle })
      }
      onProgress(changed + leftAlone.length)
      await delay(Math.max(MIN_PAUSE_MS, tookMs))
    }
  } catch (error) {
    if (!(error instanceof ReceiverError)) throw error
    throw new ReceiverError(error.code, `${error.message} Entries ${change.done} before that: ${changed}.`, {
      cause: error,
    })
  }
  return { changed, leftAlone }
}

/** What changeEntries would do now, by reading alone. */
export async function rehearseChange(
  inbox: Inbox,
  change: Change,
  selection: Selection,
  onProgress: OnProgress = () => {},
): Promise<ChangeResult> {
  const states = statesOf(change, selection)
  const leftAlone: { eventId: string; obstacle: Obstacle }[] = []
  const groups = new Map<string, ChangeGroup>()
  let changed = 0
  for await (const eventIds of readChunks(inbox, selection, states)) {
    const present = await lookUp(inbox, eventIds)
    for (const eventId of eventIds) {
      const found = present.get(eventId)
      const obstacle = findObstacle(found, change, states)
      if (obstacle !== undefined) leftAlone.push({ eventId, obstacle })
      if (found === undefined || obstacle !== undefined) continue
      const { state, type } = found
      changed += 1
      groups.set(`${state} ${type}`, { state, type, entries: (groups.get(`${state} ${type}`)?.entries ?? 0) + 1 })
    }
    onProgress(changed + leftAlone.length)
  }
  return { changed, leftAlone, groups: [...groups.values()].sort((one, other) => other.entries - one.entries) }
}

/** Of a filter only those in which it can be done: others are none that it chooses. */
export function statesOf({ possibleIn, meant }: Change, selection: Selection): readonly EntryState[] {
  if ('eventIds' in selection) return possibleIn
  return (selection.filter.states ?? meant).filter((state) => possibleIn.includes(state))
}

/** In one question to the store, and without the bodies. */
async function lookUp(inbox: Inbox, eventIds: readonly string[]): Promise<Map<string, EntryPresence>> {
  if (eventIds.length === 0) return new Map()
  const found = await inbox.lookUp(eventIds)
  return new Map(found.map((presence) => [presence.eventId, presence]))
}

function findObstacle(
  found: EntryPresence | undefined,
  { isRun }: Change,
  states: readonly EntryState[],
): Obstacle | undefined {
  if (found === undefined) return 'unknown'
  if (!states.includes(found.state)) return found.state
  if (isRun && found.isAnswered) return 'answered'
  return isRun && !found.hasBody ? 'without body' : undefined
}

async function* readChunks(
  inbox: Inbox,
  selection: Selection,
  states: readonly EntryState[],
): AsyncGenerator<readonly string[]> {
  if ('eventIds' in selection) {
    const ids = [...new Set(selection.eventIds)]
    for (let start = 0; start < ids.length; start += CHUNK_SIZE) yield ids.slice(start, start + CHUNK_SIZE)
    return
  }
  const filter = { ...selection.filter, states }
  let before: string | undefined
  for (;;) {
    const entries = await inbox.list(filter, { limit: CHUNK_SIZE, ...(before !== undefined && { before }) })
    if (entries.length === 0) return
    before = entries.at(-1)?.eventId
    yield entries.map(({ eventId }) => eventId)
  }
}
