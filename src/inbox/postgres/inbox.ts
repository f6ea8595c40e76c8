import { randomUUID } from 'node:crypto'
import { ReceiverError } from '../../errors.ts'

import { entryStates, type NewEntry } from '../../event.ts'

import { createHeldLeases } from '../held-leases.ts'
import type { Inbox, OnCommit, OpenOptions } from '../inbox.ts'
import { createRoom } from '../room.ts'
import { ANSWER_WITHIN_MS, within } from '../within.ts'
import { connectPostgres, type Postgres } from './connection.ts'
import { toReceiverError } from './errors.ts'
import {
  claimForwards,
  createForwardUpkeep,
  type ForwardSettlement,
  freeLostForwards,
  letGoForwards,
  settleForwards,
} from './forwards.ts'
import { createGroupCommit } from './group-commit.ts'
import { createQueries } from './queries.ts'
import { openSchema } from './schema.ts'
import { FSYNC_OFF, sql } from './statements.ts'
import { createUpkeep } from './upkeep.ts'
import { parsePostgresUrl } from './url.ts'
import { addAll, claimDue, failAlone, freeLostLeases, letGo, releaseAll, type Settlement, settleAll } from './work.ts'

/** 256 adds of 2.6 KB take about 14 ms. */
const MAX_BATCH = 256
/**
 * Adds, settles and claims have one each at work, the fourth is for upkeep. One takes 19,000 adds/s on two cores, more than a
 * process can verify (two took 24,000), and drains 16,000/s (two processes 18,000).
 */
const WRITE_CONNECTIONS = 4
const READ_CONNECTIONS = 2
const STATEMENT_TIMEOUT_MS = 5_000
/** A command may count or search all that there is. */
const COMMAND_TIMEOUT_MS = 60_000
/** How often a process looks for leases that ran out. */
const LOST_LEASES_EVERY_MS = 1_000
/** After Postgres was away, so that those who live record what they finished meanwhile before it is taken for lost. */
const AFTER_OUTAGE_MS = 5_000
/**
 * A plan is kept once it was made, perhaps while the inbox was empty and any plan cheap; a million rows later it may read them
 * all for each claim. Hot statements have an index for everything, so nothing else is on offer to them.
 */
const BY_INDEX = ['enable_seqscan=off', 'enable_bitmapscan=off', 'enable_sort=off', 'enable_mergejoin=off']

/**
 * The store for many processes: one Postgres, version 14 or later. See the interface for what its methods promise, and
 * parsePostgresUrl for TLS and the schema. Throws as openSchema does.
 */
export async function openPostgresInbox(
  databaseUrl: string,
  as: 'server' | 'command',
  { onCommit }: OpenOptions = {},
): Promise<Inbox> {
  const { writer, reader, checker } = await connect(databaseUrl, as)
  const owner = randomUUID()
  const { adds, settles, forwardSettles } = createGroups(writer, owner, onCommit)
  const room = createRoom()
  const held = createHeldLeases()
  const queries = createQueries(reader, { isExact: as === 'command' })
  const upkeep = createUpkeep(writer, owner)
  const forwardUpkeep = createForwardUpkeep(writer)
  let isWriteFailing = false
  let isClosed = false
  let seekLostLeasesAt = 0
  let seekLostForwardsAt = 0

  async function read<T>(work: () => Promise<T>): Promise<T> {
    if (isClosed) throw new ReceiverError('store_unavailable', 'The inbox is closed.')
    try {
      return await work()
    } catch (error) {
      throw toReceiverError(error)
    }
  }

  async function write<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await read(work)
    } catch (error) {
      if (error instanceof ReceiverError && error.code === 'store_unavailable') {
        isWriteFailing = true
        seekLostLeasesAt = performance.now() + AFTER_OUTAGE_MS
        seekLostForwardsAt = seekLostLeasesAt
      }
      throw error
    }
  }

  async function checkWriting(): Promise<void> {
    const [row] = await checker.query({ text: sql.check })
    if (!row?.is_synced) throw new ReceiverError('store_unavailable', `The inbox cannot be used now: ${FSYNC_OFF}`)
    if (isWriteFailing) await upkeep.probe()
    isWriteFailing = false
  }

  async function finish(): Promise<void> {
    await Promise.all([adds, settles, forwardSettles].map((group) => group.whenIdle()))
    await Promise.all([writer.close(), reader.close(), checker.close()])
  }

  return {
    add: (entry) =>
      write(() => {
        const bytes = entry.body.length
        room.take(bytes)
        const added = adds.submit(entry).finally(() => room.give(bytes))
        // Its body would be in memory for as long as Postgres hangs.
        return within(ANSWER_WITHIN_MS, added, (reason) => adds.leave(entry, reason))
      }),

    decide: (eventId, decision) => write(() => upkeep.decide(eventId, decision)),

    claim: ({ limit, leaseMs }) =>
      write(async () => {
        if (performance.now() >= seekLostLeasesAt) {
          // The first time: what a process that ended between two statements left waiting for nothing.
          if (seekLostLeasesAt === 0) await letGo(writer)
          seekLostLeasesAt = performance.now() + LOST_LEASES_EVERY_MS
          await freeLostLeases(writer, owner, held.names())
        }
        for (;;) {
          const { leases, heldBack } = await claimDue(writer, { owner, limit, leaseMs })
          if (leases.length > 0 || heldBack === 0) return leases.map(held.add)
        }
      }),

    release: (leases) =>
      write(async () => {
        await releaseAll(writer, owner, leases)
        for (const lease of leases) held.delete(lease)
      }),

    settle: (lease, outcome) =>
      write(async () => {
        const isSettled = await settles.submit({ lease, outcome })
        held.delete(lease)
        return isSettled
      }),

    get: (eventId) => read(() => queries.get(eventId)),
    lookUp: (eventIds) => read(() => queries.lookUp(eventIds)),
    list: (filter, page) => read(() => queries.list(filter, page)),
    search: (filter, page) => read(() => queries.search(filter, page)),
    summarize: (filter, page) => read(() => queries.summarize(filter, page)),
    lane: (eventId, limit) => read(() => queries.lane(eventId, limit)),
    counts: () => read(queries.counts),
    oldestPendingMs: () => read(queries.oldestPendingMs),
    undealt: () => read(queries.undealt),
    accounts: () => read(queries.accounts),
    readNote: (name) => read(() => queries.readNote(name)),

    hold: ({ who, reason }) => write(() => upkeep.hold(who, reason)),
    resume: () => write(upkeep.resume),
    held: () => read(queries.held),
    recordFigures: (figures) => write(() => upkeep.recordFigures(figures)),
    figures: (sinceMs) => read(() => queries.figures(sinceMs)),
    recordAction: (state, facts) => write(() => upkeep.recordAction(state, facts)),
    updateAction: (id, state, facts) => write(() => upkeep.updateAction(id, state, facts)),
    actions: (page) => read(() => queries.actions(page)),

    writeNote: (name, value) => write(() => upkeep.writeNote(name, value)),
    takeTurn: (name, forMs) => write(() => upkeep.takeTurn(name, forMs)),
    replay: (eventIds, states = entryStates) => write(() => upkeep.replay(eventIds, states)),
    park: (eventIds, reason) => write(() => upkeep.park(eventIds, reason)),
    drop: (eventIds, reason) => write(() => upkeep.drop(eventIds, reason)),
    prune: (policy) => write(() => upkeep.prune(policy)),

    forwards: {
      claim: ({ wanted, leaseMs }) =>
        write(async () => {
          if (performance.now() >= seekLostForwardsAt) {
            if (seekLostForwardsAt === 0) await letGoForwards(writer)
            seekLostForwardsAt = performance.now() + LOST_LEASES_EVERY_MS
            await freeLostForwards(writer, owner, held.names())
          }
          for (;;) {
            const { leases, heldBack } = await claimForwards(writer, { owner, wanted, leaseMs })
            if (leases.length > 0 || heldBack === 0) return leases.map(held.add)
          }
        }),
      settle: (lease, outcome) =>
        write(async () => {
          const isSettled = await forwardSettles.submit({ lease, outcome })
          held.delete(lease)
          return isSettled
        }),
      add: (forwards) => write(() => forwardUpkeep.add(forwards)),
      replay: (target, eventIds, states) => write(() => forwardUpkeep.replay(target, eventIds, states)),
      hasten: (target, limit) => write(() => forwardUpkeep.hasten(target, limit)),
      drop: (...given) => write(() => forwardUpkeep.drop(...given)),
      list: (filter, page) => read(() => queries.forwards.list(filter, page)),
      counts: () => read(queries.forwards.counts),
      causes: (target) => read(() => queries.forwards.causes(target)),
      lastAttempts: (target, limit) => read(() => queries.forwards.lastAttempts(target, limit)),
      states: () => read(queries.forwards.states),
      writeState: (target, state, version) => write(() => forwardUpkeep.writeState(target, state, version)),
    },

    check: () => read(() => within(ANSWER_WITHIN_MS, checkWriting())),

    async close() {
      if (isClosed) return
      isClosed = true
      // A Postgres that hangs does not hold up the end: by then nothing is under way that anyone was told of.
      await within(ANSWER_WITHIN_MS, finish()).catch(() => undefined)
    },
  }
}

async function connect(databaseUrl: string, as: 'server' | 'command') {
  const target = parsePostgresUrl(databaseUrl)
  const { settings } = await openSchema(target, as)
  const statementTimeoutMs = as === 'server' ? STATEMENT_TIMEOUT_MS : COMMAND_TIMEOUT_MS
  const open = (maxConnections: number, connectionString: string) =>
    connectPostgres({ connectionString, maxConnections, statementTimeoutMs })
  return {
    writer: open(WRITE_CONNECTIONS, target.connectionString([...settings, ...BY_INDEX])),
    // Apart, so that no delivery waits for a search.
    reader: open(READ_CONNECTIONS, target.connectionString(settings)),
    // Apart, so that no search makes readiness wait.
    checker: open(1, target.connectionString(settings)),
  }
}

function createGroups(writer: Postgres, owner: string, onCommit: OnCommit | undefined) {
  const adds = createGroupCommit<NewEntry, 'added' | 'duplicate'>({
    commit: failAlone((entries) => addAll(writer, entries)),
    maxItems: MAX_BATCH,
    onCommit,
  })
  const settles = createGroupCommit<Settlement, boolean>({
    commit: failAlone((settlements) => settleAll(writer, owner, settlements)),
    maxItems: MAX_BATCH,
    onCommit,
  })
  const forwardSettles = createGroupCommit<ForwardSettlement, boolean>({
    commit: failAlone((settlements) => settleForwards(writer, owner, settlements)),
    maxItems: MAX_BATCH,
    onCommit,
  })
  return { adds, settles, forwardSettles }
}
