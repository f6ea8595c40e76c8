import { randomUUID } from 'node:crypto'
import { ReceiverError } from '../../errors.ts'
import { entryStates, type Lease, type NewEntry } from '../../event.ts'
import {
  toForward,
  toForwardCause,
  toForwardCount,
  toForwardDetails,
  toForwardLease,
  toKnownState,
  toTargetAttempt,
} from '../forward-rows.ts'
import { createHeldLeases } from '../held-leases.ts'
import { HOLD_NOTE, type Inbox, type OpenOptions } from '../inbox.ts'
import {
  toAction,
  toAttempt,
  toCounts,
  toDecision,
  toEntry,
  toFigures,
  toGroups,
  toHold,
  toLease,
  toPresence,
} from '../rows.ts'
import { ANSWER_WITHIN_MS, within } from '../within.ts'
import { realPath } from './file.ts'
import { toForwardSettlement, toForwardValues } from './forward-work.ts'
import { keepPrivate } from './permissions.ts'
import type { Queries } from './queries.ts'
import type { ReaderData, ReadRequest } from './reader.ts'
import { createSubmitting } from './submit.ts'
import { createThread } from './thread.ts'
import { type AddedRow, toEntryValues, toMark, toSettlement } from './work.ts'
import type { WriteAnswer, WriteRequest, WriterData } from './writer.ts'

/** No step of a server's query takes so long; a command may count or search all that there is. */
const READ_WITHIN_MS = { server: 5_000, command: 600_000 }

/** At the close; nobody waits for what they find. */
const READS_END_WITHIN_MS = 100

/**
 * The embedded store: one file, one server process, and in it one thread that writes and one that reads, so that neither a sync of
 * the disk nor a search stops the event loop. See the interface for what its methods promise.
 * A server frees the leases that a dead process left, since no other can be running. Rejects as openSqliteFile throws.
 */
export async function openSqliteInbox(
  path: string,
  as: 'server' | 'command',
  { onCommit, log }: OpenOptions = {},
  makeThread: typeof createThread = createThread,
): Promise<Inbox> {
  const owner = randomUUID()
  const held = createHeldLeases()
  const writer = makeThread<WriteRequest, WriteAnswer>({
    script: new URL('./writer-thread.ts', import.meta.url),
    data: () => ({ path, as, owner, held: held.names() }) satisfies WriterData,
    onLost: (cause) => log?.error({ cause }, 'the thread that writes the inbox ended; a new one starts'),
  })
  const reader = makeThread<ReadRequest, unknown>({
    script: new URL('./reader-thread.ts', import.meta.url),
    data: () => ({ path }) satisfies ReaderData,
    onLost: (cause) => log?.error({ cause }, 'the thread that reads the inbox ended; a new one starts'),
  })
  const { submit, flush } = createSubmitting({ writer, onCommit, onLate })
  let isClosed = false

  function assertOpen(): void {
    if (isClosed) throw new ReceiverError('store_unavailable', 'The inbox is closed.')
  }

  const write: typeof submit = async (operation, body) => {
    assertOpen()
    return submit(operation, body)
  }

  async function read<Name extends keyof Queries>(
    name: Name,
    ...given: Parameters<Queries[Name]>
  ): Promise<Awaited<ReturnType<Queries[Name]>>> {
    assertOpen()
    const timer = setTimeout(reader.kill, READ_WITHIN_MS[as])
    try {
      // The name goes with what its method takes, and the thread answers with what that gives.
      const request = [name, ...given] as unknown as ReadRequest
      return (await reader.ask(request)) as Awaited<ReturnType<Queries[Name]>>
    } finally {
      clearTimeout(timer)
    }
  }

  /** Nobody waits any more for what was leased: someone else is to get it. */
  function onLate(row: AddedRow | undefined): void {
    if (row?.[2]) void submit(['release', [[row[0], 0, 1]]]).catch(() => undefined)
  }

  async function release(leases: readonly Lease[]): Promise<void> {
    await write(['release', leases.map(toMark)])
    for (const lease of leases) held.delete(lease)
  }

  // What is closed again at once needs no second thread: the other one starts when it is needed.
  await (as === 'server' ? writer : reader).start()
  if (as === 'server') for (const warning of keepPrivate(realPath(path))) log?.warn(warning)

  return {
    async add(entry, lease) {
      assertOpen()
      const add = ['add', toEntryValues(entry), 0, 0, lease !== undefined, entry.values ?? []] as const
      const operation = entry.forwards?.length ? ([...add, entry.forwards.map(toForwardValues)] as const) : add
      const added = toAdded(entry, await submit(operation, entry.body))
      return typeof added === 'string' ? added : held.add(added)
    },

    decide: async (eventId, decision) => toDecision(await write(['decide', eventId, JSON.stringify(decision)])),

    async claim({ limit }) {
      for (;;) {
        const { rows, heldBack } = await write(['claim', limit])
        if (rows.length > 0 || heldBack === 0) return rows.map((row) => held.add(toLease(row)))
      }
    },

    release,

    async settle(lease, outcome) {
      assertOpen()
      const isSettled = await submit(['settle', ...toSettlement(lease, outcome)])
      held.delete(lease)
      return isSettled
    },

    async get(eventId) {
      const found = await read('get', eventId)
      if (found === undefined) return undefined
      const { row, attempts, forwards } = found
      const body = row.body instanceof Uint8Array ? row.body : null
      return {
        entry: toEntry(row),
        attempts: attempts.map(toAttempt),
        body,
        decision: toDecision(row.decision),
        forwards: toForwardDetails(forwards.rows, forwards.attempts),
      }
    },

    lookUp: async (eventIds) => (await read('lookUp', eventIds)).map(toPresence),
    list: async (filter, page) => (await read('list', filter, page)).map(toEntry),

    async search(filter, page) {
      const { rows, olderThan } = await read('search', filter, page)
      return { entries: rows.map(toEntry), olderThan }
    },

    async summarize(filter, page) {
      const { rows, olderThan } = await read('summarize', filter, page)
      const { groups, entries, firstSeq, lastSeq } = toGroups(rows, page.limit)
      const [oldest = null, newest = null] =
        entries === 0 ? [] : await Promise.all([firstSeq, lastSeq].map((seq) => read('eventIdAt', seq)))
      return { groups, entries, oldest, newest, olderThan }
    },

    lane: async (eventId, limit) => (await read('lane', eventId, limit)).map(toEntry),
    counts: async () => toCounts(await read('counts')),
    oldestPendingMs: () => read('oldestPendingMs'),
    undealt: () => read('undealt'),
    accounts: () => read('accounts'),
    readNote: (name) => read('readNote', name),

    hold: ({ who, reason }) => write(['hold', who, reason]),
    resume: () => write(['resume']),
    async held() {
      const value = await read('readNote', HOLD_NOTE)
      return value === null ? null : toHold(value, Date.now())
    },

    recordFigures: (figures) => write(['recordFigures', JSON.stringify(figures)]),
    figures: async (sinceMs) => (await read('figures', sinceMs)).map(toFigures),
    recordAction: (state, facts) => write(['recordAction', state, JSON.stringify(facts)]),
    updateAction: (id, state, facts) => write(['updateAction', id, state, facts ? JSON.stringify(facts) : null]),
    actions: async (page) => (await read('actions', page)).map(toAction),

    writeNote: (name, value) => write(['writeNote', name, value]),
    takeTurn: (name, forMs) => write(['takeTurn', name, forMs]),
    replay: (eventIds, states = entryStates) => write(['replay', eventIds, states]),
    park: (eventIds, reason) => write(['park', eventIds, reason]),
    drop: (eventIds, reason) => write(['drop', eventIds, reason]),
    prune: (policy) => write(['prune', policy]),

    forwards: {
      async claim({ wanted }) {
        for (;;) {
          const { rows, heldBack } = await write(['claimForwards', wanted])
          if (rows.length > 0 || heldBack === 0) return rows.map((row) => held.add(toForwardLease(row)))
        }
      },
      async settle(lease, outcome) {
        const isSettled = await write(['settleForward', ...toForwardSettlement(lease, outcome)])
        held.delete(lease)
        return isSettled
      },
      add: (forwards) => write(['addForwards', forwards]),
      replay: (target, eventIds, states) => write(['replayForwards', target, eventIds, states]),
      hasten: (target, limit) => write(['hastenForwards', target, limit]),
      drop: (target, eventIds, states, reason) =>
        write(['dropForwards', target, eventIds, JSON.stringify(states), reason]),
      list: async (filter, page) => (await read('listForwards', filter, page)).map(toForward),
      counts: async () => (await read('countForwards')).map(toForwardCount),
      causes: async (target) => (await read('forwardCauses', target)).map(toForwardCause),
      lastAttempts: async (target, limit) => (await read('lastAttempts', target, limit)).map(toTargetAttempt),
      states: async () => (await read('targetStates')).map(toKnownState),
      writeState: (target, state, version) => write(['writeTargetState', target, JSON.stringify(state), version]),
    },

    async check() {
      assertOpen()
      await within(ANSWER_WITHIN_MS, writer.ask('check'))
    },

    async close() {
      isClosed = true
      flush()
      // The last one to close writes the log back and removes it, which the reader could not.
      await reader.close(READS_END_WITHIN_MS)
      await writer.close(ANSWER_WITHIN_MS)
    },
  }
}

type Added = Awaited<ReturnType<Inbox['add']>>

function toAdded(entry: NewEntry, row: AddedRow | undefined): Added {
  if (row === undefined) return 'duplicate'
  const [seq, receivedAt, isLeased] = row
  if (!isLeased) return 'added'
  const { body, values: _values, forwards, state: _state, reason: _reason, ...facts } = entry
  return {
    entry: { ...facts, receivedAt: new Date(receivedAt) },
    body,
    attempt: 1,
    handledTwin: null,
    isSuperseded: false,
    isForwarded: forwards !== undefined && forwards.length > 0,
    lastFailure: null,
    token: `${seq}:0`,
  }
}
