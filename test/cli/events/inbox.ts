import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { EntryState, NewEntry, Outcome } from '../../../src/event.ts'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../../src/inbox/sqlite/inbox.ts'
import { newEntry } from '../../support/new-entry.ts'
import { type CliResult, runCli } from '../../support/run-cli.ts'
import { makeScratch } from '../../support/scratch.ts'

export const DAY_MS = 86_400_000

/** An entry to have in an inbox, with an event id of its own. Bodies of entries settled over 30 days ago are dropped. */
export interface PlannedEntry extends Partial<Omit<NewEntry, 'state' | 'reason'>> {
  readonly eventId: string
  readonly state: EntryState
  /** Of a dead or parked entry. */
  readonly reason?: string
  readonly ageMs?: number
}

export interface EventsInbox {
  readonly path: string
  readonly env: Readonly<Record<string, string>>
  /** `events …` on this inbox. */
  run(...args: string[]): Promise<CliResult>
  /** The same on a terminal, with what someone types. */
  runTyping(typed: string, ...args: string[]): Promise<CliResult>
  /** Ids of the entries in that state now, newest first. */
  find(state: EntryState): Promise<string[]>
  /** Opens the inbox as a command does, beside whoever has it. */
  open(): Promise<Inbox>
  remove(): Promise<void>
}

/** An inbox file that no server is running on, with these entries in order of arrival; pending ones come last. */
export async function makeEventsInbox(entries: readonly PlannedEntry[]): Promise<EventsInbox> {
  const scratch = await makeScratch()
  const path = join(scratch.path, 'inbox.db')
  const env = { DATABASE_URL: `file:${path}` }
  const inbox = await openSqliteInbox(path, 'server')
  for (const entry of entries) await addPlanned(inbox, entry)
  backdate(path, entries)
  await inbox.prune({ bodiesAfterMs: 30 * DAY_MS, entriesAfterMs: 1_000 * DAY_MS, limit: 1_000 })
  await inbox.close()
  const open = () => openSqliteInbox(path, 'command')
  return {
    path,
    env,
    run: (...args) => runCli(['events', ...args], { env }),
    runTyping: (typed, ...args) => runCli(['events', ...args], { env, typed }),
    async find(state) {
      const opened = await open()
      const found = await opened.list({ states: [state] }, { limit: 10_000 })
      await opened.close()
      return found.map(({ eventId }) => eventId)
    },
    open,
    remove: scratch.remove,
  }
}

async function addPlanned(
  inbox: Inbox,
  { state, reason = 'no reason', ageMs: _, ...facts }: PlannedEntry,
): Promise<void> {
  const isParked = state === 'parked'
  await inbox.add(newEntry({ ...facts, state: isParked ? 'parked' : 'pending', reason: isParked ? reason : null }))
  if (state === 'pending' || isParked) return
  const [lease] = await inbox.claim({ limit: 1, leaseMs: 1_000 * DAY_MS })
  if (lease?.entry.eventId !== facts.eventId) throw new Error('a pending entry stands before others')
  const outcome: Outcome | undefined =
    state === 'running' ? undefined : state === 'dead' ? { state, error: reason } : { state }
  if (outcome !== undefined) await inbox.settle(lease, outcome)
}

/** Makes them as old as planned, and their attempts 42 ms long: the store goes by the clock. */
function backdate(path: string, entries: readonly PlannedEntry[]): void {
  const db = new DatabaseSync(path)
  const entry = db.prepare(`
    UPDATE entry SET received_at = ?2, due_at = ?2, started_at = iif(started_at IS NULL, NULL, ?2),
      settled_at = iif(settled_at IS NULL, NULL, ?2 + iif(state = 'parked', 0, 42)) WHERE event_id = ?1`)
  const attempt = db.prepare(`
    UPDATE attempt SET started_at = ?2, ended_at = ?2 + 42 WHERE seq = (SELECT seq FROM entry WHERE event_id = ?1)`)
  for (const { eventId, ageMs = 0 } of entries) {
    for (const statement of [entry, attempt]) statement.run(eventId, Date.now() - ageMs)
  }
  db.close()
}

/** Parses the lines that `--json` prints. */
export function parseLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** Adds this many dead entries, `evt_0` first. */
export async function addDead(inbox: Inbox, count: number): Promise<string[]> {
  const eventIds = Array.from({ length: count }, (_, index) => `evt_${index}`)
  await Promise.all(eventIds.map((eventId) => inbox.add(newEntry({ eventId }))))
  await settleAllDead(inbox)
  return eventIds
}

/** Claims all that is due and settles it as dead, as a server would whose handlers all give up. */
export async function settleAllDead(inbox: Inbox): Promise<void> {
  const leases = await inbox.claim({ limit: 10_000, leaseMs: 60_000 })
  await Promise.all(leases.map((lease) => inbox.settle(lease, { state: 'dead', error: 'gave up' })))
}
