import { setTimeout as delay } from 'node:timers/promises'
import { ReceiverError } from '../errors.ts'
import type { EntryState } from '../event.ts'
import type { EntryFilter, EntryPresence, Inbox } from '../inbox/inbox.ts'

/** Which entries to replay: named ones, or all that match. */
export type Selection = { readonly eventIds: readonly string[] } | { readonly filter: EntryFilter }

export type Obstacle = 'unknown' | 'running' | 'without body'

/** What became of a replay, or of its rehearsal. */
export interface ReplayResult {
  readonly replayed: number
  readonly leftAlone: readonly { readonly eventId: string; readonly obstacle: Obstacle }[]
  /** Of a rehearsal: what it would replay, largest group first. */
  readonly groups?: readonly ReplayGroup[]
}

/** How many entries of one kind a replay would take. */
export interface ReplayGroup {
  readonly state: EntryState
  readonly type: string
  readonly entries: number
}

/** Told after each chunk how many entries were looked at so far. */
type OnProgress = (count: number) => void

/** The store takes a few hundred ids a call, so that a server beside gets its turn to write. */
const CHUNK_SIZE = 200
/**
 * A pause as long as its chunk took, and at least this, lets the server write: beside a replay of 100,000 its slowest add then
 * took about 50 ms, and 330 ms without pauses.
 */
const MIN_PAUSE_MS = 10

interface Candidate {
  readonly eventId: string
  readonly isRunning: boolean
}

/**
 * Replays what was selected, chunk by chunk; the error of a failing store tells how many were replayed before it.
 * Ends even while a server settles the replayed entries again: each entry is met once, newest first.
 */
export async function replayEntries(
  inbox: Inbox,
  selection: Selection,
  onProgress: OnProgress = () => {},
): Promise<ReplayResult> {
  const leftAlone: { eventId: string; obstacle: Obstacle }[] = []
  let replayed = 0
  try {
    for await (const chunk of readChunks(inbox, selection)) {
      const idle = chunk.filter((candidate) => !candidate.isRunning)
      const startedAt = performance.now()
      const taken = new Set(await inbox.replay(idle.map((candidate) => candidate.eventId)))
      const tookMs = performance.now() - startedAt
      replayed += taken.size
      const left = chunk.filter(({ eventId }) => !taken.has(eventId))
      const present = await lookUp(inbox, left)
      for (const { eventId, isRunning } of left) {
        // What nothing keeps from being replayed now was running when it was tried.
        const obstacle = isRunning ? 'running' : (findObstacle(present.get(eventId)) ?? 'running')
        leftAlone.push({ eventId, obstacle })
      }
      onProgress(replayed + leftAlone.length)
      await delay(Math.max(MIN_PAUSE_MS, tookMs))
    }
  } catch (error) {
    if (!(error instanceof ReceiverError)) throw error
    throw new ReceiverError(error.code, `${error.message} Entries replayed before that: ${replayed}.`, {
      cause: error,
    })
  }
  return { replayed, leftAlone }
}

/** What replayEntries would do now, by reading alone. */
export async function rehearseReplay(
  inbox: Inbox,
  selection: Selection,
  onProgress: OnProgress = () => {},
): Promise<ReplayResult> {
  const leftAlone: { eventId: string; obstacle: Obstacle }[] = []
  const groups = new Map<string, ReplayGroup>()
  let replayed = 0
  for await (const chunk of readChunks(inbox, selection)) {
    const present = await lookUp(inbox, chunk)
    for (const { eventId } of chunk) {
      const found = present.get(eventId)
      const obstacle = findObstacle(found)
      if (obstacle !== undefined) leftAlone.push({ eventId, obstacle })
      if (found === undefined || obstacle !== undefined) continue
      const { state, type } = found
      replayed += 1
      groups.set(`${state} ${type}`, { state, type, entries: (groups.get(`${state} ${type}`)?.entries ?? 0) + 1 })
    }
    onProgress(replayed + leftAlone.length)
  }
  return { replayed, leftAlone, groups: [...groups.values()].sort((one, other) => other.entries - one.entries) }
}

/** In one question to the store, and without the bodies. */
async function lookUp(inbox: Inbox, candidates: readonly Candidate[]): Promise<Map<string, EntryPresence>> {
  if (candidates.length === 0) return new Map()
  const found = await inbox.lookUp(candidates.map(({ eventId }) => eventId))
  return new Map(found.map((presence) => [presence.eventId, presence]))
}

function findObstacle(found: EntryPresence | undefined): Obstacle | undefined {
  if (found === undefined) return 'unknown'
  if (found.state === 'running') return 'running'
  return found.hasBody ? undefined : 'without body'
}

async function* readChunks(inbox: Inbox, selection: Selection): AsyncGenerator<readonly Candidate[]> {
  if ('eventIds' in selection) {
    const ids = [...new Set(selection.eventIds)]
    for (let start = 0; start < ids.length; start += CHUNK_SIZE) {
      yield ids.slice(start, start + CHUNK_SIZE).map((eventId) => ({ eventId, isRunning: false }))
    }
    return
  }
  let before: string | undefined
  for (;;) {
    const page = { limit: CHUNK_SIZE, ...(before !== undefined && { before }) }
    const entries = await inbox.list(selection.filter, page)
    if (entries.length === 0) return
    before = entries.at(-1)?.eventId
    yield entries.map(({ eventId, state }) => ({ eventId, isRunning: state === 'running' }))
  }
}
