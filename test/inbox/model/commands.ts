import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { Lease, NewForward, Outcome } from '../../../src/event.ts'
import type { ForwardState } from '../../../src/inbox/forwards.ts'
import type { Inbox, PrunePolicy } from '../../../src/inbox/inbox.ts'
import { newEntry } from '../../support/new-entry.ts'
import {
  claimForwardsBy,
  deliverAll,
  droppedIn,
  forwardEnding,
  hastenBy,
  settleForwardBy,
  target,
} from './forward-commands.ts'
import { TARGETS, type TargetName } from './forward-reference.ts'
import type { Held, Reference } from './reference.ts'
import type { StoreUnderModel, Worker } from './store.ts'

/** A store, and a line for each command that it was given. */
export interface Real {
  readonly store: StoreUnderModel
  readonly story: string[]
}

/** What a command works with. */
interface Both {
  readonly reference: Reference
  readonly store: StoreUnderModel
  /** Adds what came of it to its line of the story. */
  say(answer: string): void
}

type Command = fc.AsyncCommand<Reference, Real>
/** Of a handler; a number of milliseconds when it failed and is tried again. */
type Ending = 'handled' | 'handled by the fallback' | 'unhandled' | 'dead' | number

/**
 * The clock moves by whole steps of 20 s, and what ends by it ends 10 s off them: on a store whose clock goes on by itself, what a
 * sequence takes never decides. `FOR_EVER_MS` is after any wait.
 */
export const LEASE_MS = 70_000
const RETRIES_MS = [0, 30_000, 90_000]
const HOUR_MS = 3_600_000
const FOR_EVER_MS = 24 * HOUR_MS
/** The lane, and a number in it; with ' the thin twin. Few, so that they meet. */
const NAMES = ['A1', "A1'", 'A2', 'B1', "B1'", 'A3']

const toName = (eventId: string) => eventId.slice('evt_'.length)
const toEventId = (name: string) => `evt_${name}`

function toNewEntry(name: string, state: 'pending' | 'parked', targets: readonly TargetName[]) {
  const eventId = toEventId(name)
  const snapshotEventId = name.endsWith("'") ? eventId.slice(0, -1) : null
  const shape = snapshotEventId === null ? 'snapshot' : 'thin'
  return newEntry({
    eventId,
    objectId: `pi_${name[0]}`,
    lane: `/${name[0]}`,
    shape,
    snapshotEventId,
    state,
    forwards: targets.map(toNewForward),
  })
}

function toNewForward(name: TargetName): NewForward {
  const forward = { target: name, hops: 1, held: null }
  return name === 'shop' ? { ...forward, order: 'lane' } : forward
}

function command(
  line: string,
  act: (both: Both) => Promise<void>,
  check: (reference: Reference) => boolean = () => true,
): Command {
  return {
    check,
    run: (reference, { store, story }) => act(tell(line, reference, { store, story })),
    toString: () => line,
  }
}

function tell(line: string, reference: Reference, { store, story }: Real): Both {
  const at = story.push(line) - 1
  return {
    reference,
    store,
    say(answer) {
      story[at] = `${line} → ${answer}`
    },
  }
}

function tellLease({ entry, attempt, handledTwin }: Lease): string {
  const twin = handledTwin === null ? '' : `, ${toName(handledTwin)} was handled`
  return `${toName(entry.eventId)} (attempt ${attempt}${twin})`
}

const tellLeases = (leases: readonly Lease[]) => leases.map(tellLease).join(', ') || 'nothing'
const tellEnding = (ending: Ending) =>
  typeof ending === 'number' ? `fails, to be tried again in ${ending / 1_000} s` : `is ${ending}`
const other = (worker: Worker): Worker => (worker === 0 ? 1 : 0)
const tellWorker = (worker: Worker) => `worker ${worker + 1}`

/** All at once, by turns to the two workers; handed over, they go to one. */
interface Adding {
  readonly worker: Worker
  readonly isHandedOver: boolean
  readonly isParked: boolean
  readonly targets: readonly TargetName[]
}

function add(names: readonly string[], to: Adding): Command {
  const [parked, over] = [to.isParked ? ', parked' : '', to.isHandedOver ? ` to ${tellWorker(to.worker)}` : '']
  const on = to.targets.length > 0 ? `, for ${to.targets.join(' and ')}` : ''
  return command(`add ${names.join(', ')}${on}${parked}${over}`, async ({ reference, store, say }) => {
    const state = to.isParked ? ('parked' as const) : ('pending' as const)
    const entries = names.map((name) => toNewEntry(name, state, to.targets))
    const lease = to.isHandedOver ? { leaseMs: LEASE_MS } : undefined
    reference.beginAdding()
    const adding = entries.map(async (entry, index) => {
      const by = to.isHandedOver || index % 2 === 0 ? to.worker : other(to.worker)
      return { entry, answer: await store.inboxes()[by].add(entry, lease) }
    })
    const added = await Promise.all(adding)
    say(added.map(({ answer }) => (typeof answer === 'object' ? tellLease(answer) : answer)).join(', '))
    // Of two that bring the same, either may be the duplicate.
    const inOrder = [...added.filter(({ answer }) => answer !== 'duplicate'), ...added]
    for (const { entry, answer } of new Set(inOrder)) {
      const { eventId: id, lane, snapshotEventId } = entry
      const facts = { id, lane, state, twinId: snapshotEventId ?? `${id}'` }
      reference.add(facts, to.targets, answer, to.worker)
    }
  })
}

/** One worker claims, or both at once. */
async function claimBy(workers: readonly Worker[], limit: number, { reference, store, say }: Both): Promise<Lease[]> {
  const claiming = workers.map(async (worker) => {
    return { worker, given: await store.inboxes()[worker].claim({ limit, leaseMs: LEASE_MS }) }
  })
  const claims = await Promise.all(claiming)
  say(claims.map(({ given }) => tellLeases(given)).join(' and '))
  reference.claim(claims, limit)
  return claims.flatMap(({ given }) => given)
}

function claim(worker: Worker, limit: number): Command {
  return command(`${tellWorker(worker)} claims ${limit}`, async (both) => void (await claimBy([worker], limit, both)))
}

/** Only when no lease is over: which of the two frees it, and whether the other sees that, is for them to race. */
function claimAtOnce(limit: number): Command {
  return command(
    `both workers at once claim ${limit}`,
    async (both) => void (await claimBy([0, 1], limit, both)),
    (reference) => reference.overdue().length === 0,
  )
}

/** As a worker that handles one of two twins: what was handled as the other is not handled again. */
function toOutcome(ending: Ending, { handledTwin }: Lease): Outcome {
  if (handledTwin !== null) return { state: 'handled', reason: 'its twin was handled' }
  if (typeof ending === 'number') return { state: 'pending', retryInMs: ending, error: 'not yet' }
  // With a reason, it counts for no twin.
  if (ending === 'handled by the fallback') return { state: 'handled', reason: ending }
  return ending === 'dead' ? { state: 'dead', error: 'bug' } : { state: ending }
}

async function settleBy(held: Held, ending: Ending, { reference, store }: Omit<Both, 'say'>): Promise<boolean> {
  const outcome = toOutcome(ending, held.lease)
  const isSettled = await store.inboxes()[held.worker].settle(held.lease, outcome)
  reference.settle(held, outcome, isSettled)
  return isSettled
}

function settle(which: 'open' | 'over', pick: number, ending: Ending): Command {
  const line = which === 'open' ? 'an attempt' : 'an attempt whose lease was over'
  return command(
    `${line} ${tellEnding(ending)}`,
    async (both) => {
      const held = pickOf(both.reference[which](), pick)
      both.say(`${tellLease(held.lease)} by ${tellWorker(held.worker)}`)
      const isSettled = await settleBy(held, ending, both)
      both.say(`${tellLease(held.lease)} by ${tellWorker(held.worker)} ${isSettled ? 'settled' : 'was lost'}`)
    },
    (reference) => reference[which]().length > 0,
  )
}

/** A claim and a settle in one, so that sequences get far. */
function run(worker: Worker, ending: Ending): Command {
  return command(`${tellWorker(worker)} runs one, which ${tellEnding(ending)}`, async (both) => {
    const [lease] = await claimBy([worker], 1, both)
    const held = both.reference.open().find((each) => each.lease === lease)
    if (held !== undefined) await settleBy(held, ending, both)
  })
}

function claimForwards(by: Worker, name: TargetName, most: number): Command {
  const line = `${tellWorker(by)} claims ${most} for ${name}`
  return command(line, async (both) => void (await claimForwardsBy(by, name, { limit: most, leaseMs: LEASE_MS }, both)))
}

function settleForward(
  which: 'open' | 'over',
  pickNumber: number,
  how: Parameters<typeof settleForwardBy>[1],
): Command {
  const line = `a forward${which === 'over' ? ' whose lease was over' : ''} ends: ${how}`
  return command(
    line,
    (both) => settleForwardBy(pickOf(both.reference.forwards[which](), pickNumber), how, both),
    (reference) => reference.forwards[which]().length > 0,
  )
}

function replayForwards(name: TargetName, names: readonly string[]): Command {
  return command(`replay ${names.join(', ')} for ${name}`, async ({ reference, store, say }) => {
    const [inbox] = store.inboxes()
    const eventIds = names.map(toEventId)
    const answer = await inbox.forwards.replay(name, eventIds, ['pending', 'delivered', 'dead', 'dropped'])
    say(answer.map(toName).join(', ') || 'nothing')
    reference.forwards.replay(name, eventIds, answer)
  })
}

function dropForwards(name: TargetName, names: readonly string[], states: readonly ForwardState[]): Command {
  return command(`drop ${names.join(', ')} for ${name} if ${states.join(', ')}`, async ({ reference, store, say }) => {
    const [inbox] = store.inboxes()
    const eventIds = names.map(toEventId)
    const answer = await inbox.forwards.drop(name, eventIds, states, 'no use')
    say(answer.map(toName).join(', ') || 'nothing')
    reference.forwards.drop(name, eventIds, states, answer)
  })
}

function giveBack(pick: number): Command {
  return command(
    'give one back',
    async ({ reference, store, say }) => {
      const held = pickOf(reference.open(), pick)
      say(tellLease(held.lease))
      await store.inboxes()[held.worker].release([held.lease])
      reference.release(held)
    },
    (reference) => reference.open().length > 0,
  )
}

function pickOf<T>(some: readonly T[], pick: number): T {
  const picked = some[pick % some.length]
  if (picked === undefined) throw new Error('there is nothing to pick from: the command was not checked')
  return picked
}

function byName(what: 'replay' | 'park' | 'drop', names: readonly string[]): Command {
  return command(`${what} ${names.join(', ')}`, async ({ reference, store, say }) => {
    const [inbox] = store.inboxes()
    const eventIds = names.map(toEventId)
    const answer = await (what === 'replay' ? inbox.replay(eventIds) : inbox[what](eventIds, 'by hand'))
    say(answer.map(toName).join(', ') || 'nothing')
    reference[what](eventIds, answer)
  })
}

function prune(policy: PrunePolicy): Command {
  const [bodies, entries] = [policy.bodiesAfterMs / 1_000, policy.entriesAfterMs / 1_000]
  const line = `drop bodies after ${bodies} s, and entries after ${entries} s, ${policy.limit} at a time`
  return command(line, async ({ reference, store, say }) => {
    const [inbox] = store.inboxes()
    for (let after: string | null | undefined; after !== null; )
      after = (await inbox.prune({ ...policy, ...(after === undefined ? {} : { after }) })).next
    const left = await inbox.lookUp([...reference.entries.keys()])
    say(
      `left ${left.map(({ eventId, hasBody }) => toName(eventId) + (hasBody ? '' : ' without a body')).join(', ') || 'nothing'}`,
    )
    reference.prune(policy, new Map(left.map((found) => [found.eventId, found])))
  })
}

async function loseBy(worker: Worker, { reference, store }: Omit<Both, 'say'>): Promise<void> {
  await store.loseProcess(worker)
  reference.loseProcess(worker)
}

function lose(worker: Worker): Command {
  return command(`the process of ${tellWorker(worker)} is lost`, (both) => loseBy(worker, both))
}

const loseThreads = command(
  "the store's threads are lost",
  async ({ reference, store }) => {
    await store.loseThreads?.()
    reference.loseThreads()
  },
  ({ isShared }) => !isShared,
)

/** A process that dies of what it runs, and after each time its lease runs out. */
function crash(worker: Worker, times: number): Command {
  return command(`${tellWorker(worker)} runs one and is lost, 80 s pass, ${times} times`, async ({ say, ...both }) => {
    const told: string[] = []
    for (let time = 0; time < times; time += 1) {
      const leases = await claimBy([worker], 1, { ...both, say: (answer) => say([...told, answer].join(', then ')) })
      told.push(tellLeases(leases))
      await loseBy(worker, both)
      await passBy(80_000, both)
    }
  })
}

async function passBy(ms: number, { reference, store }: Omit<Both, 'say'>, isSet = false): Promise<void> {
  await store.step(ms, isSet)
  reference.step(ms, isSet)
}

function pass(ms: number): Command {
  return command(`${ms / 1_000} s pass`, (both) => passBy(ms, both))
}

function setClock(ms: number): Command {
  const line = `the clock is set ${ms < 0 ? 'back' : 'ahead'} by ${Math.abs(ms) / 1_000} s`
  return command(line, (both) => passBy(ms, both, true))
}

const worker = fc.constantFrom<Worker[]>(0, 1)
const limit = fc.integer({ min: 1, max: 4 })
const pick = fc.nat({ max: 3 })
const ending = fc.constantFrom<Ending[]>(
  'handled',
  'handled',
  'handled by the fallback',
  'unhandled',
  'dead',
  ...RETRIES_MS,
)
// With a least length it would not shrink from the end.
const names = fc.array(fc.constantFrom(...NAMES), { maxLength: 3 }).filter(({ length }) => length > 0)
const different = fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 3 }).filter(({ length }) => length > 0)
const policy = fc.record({
  limit: fc.constantFrom(10, 1, 2),
  bodiesAfterMs: fc.constantFrom(50_000, -10_000),
  entriesAfterMs: fc.constantFrom(FOR_EVER_MS, 130_000, -10_000),
})
const commands: [weight: number, arbitrary: fc.Arbitrary<Command>][] = [
  [
    5,
    fc
      .tuple(
        names,
        fc.record({
          worker,
          isHandedOver: fc.boolean(),
          isParked: fc.constantFrom(false, false, false, true),
          targets: fc.constantFrom<TargetName[][]>([], ['shop'], [...TARGETS]),
        }),
      )
      .map((given) => add(...given)),
  ],
  [4, fc.tuple(worker, limit).map((given) => claim(...given))],
  [1, limit.map(claimAtOnce)],
  [4, fc.tuple(worker, ending).map((given) => run(...given))],
  [5, fc.tuple(fc.constant('open' as const), pick, ending).map((given) => settle(...given))],
  [4, fc.tuple(fc.constant('over' as const), pick, ending).map((given) => settle(...given))],
  [1, pick.map(giveBack)],
  [5, fc.tuple(worker, target, limit).map((given) => claimForwards(...given))],
  [4, fc.tuple(fc.constant('open' as const), pick, forwardEnding).map((given) => settleForward(...given))],
  [1, fc.tuple(fc.constant('over' as const), pick, forwardEnding).map((given) => settleForward(...given))],
  [2, fc.tuple(target, different).map((given) => replayForwards(...given))],
  [1, target.map((name) => command(`hasten what is for ${name}`, (both) => hastenBy(name, both)))],
  [1, fc.tuple(target, different, droppedIn).map((given) => dropForwards(...given))],
  [3, different.map((some) => byName('replay', some))],
  [1, different.map((some) => byName('park', some))],
  [1, different.map((some) => byName('drop', some))],
  [1, policy.map(prune)],
  [1, worker.map(lose)],
  [1, fc.constant(loseThreads)],
  [2, fc.tuple(worker, fc.integer({ min: 1, max: 3 })).map((given) => crash(...given))],
  [3, fc.constantFrom(80_000, 20_000, HOUR_MS).map(pass)],
  [1, fc.constantFrom(-HOUR_MS, -20_000, 80_000, HOUR_MS).map(setClock)],
]

/** Any command, the likely ones more often. */
export const anyCommand = fc.oneof(...commands.map(([weight, arbitrary]) => ({ weight, arbitrary })))

/** The end of each sequence: what is due is claimed and handled, then what waits, and nothing may be left. */
export async function finish(reference: Reference, real: Real): Promise<void> {
  const both = tell('in the end, worker 1 handles all that is due', reference, real)
  await handleAll(both)
  // What is lost after the first may have to wait once more; and a clock that was set back has to catch up.
  for (const ms of [2 * FOR_EVER_MS, FOR_EVER_MS]) {
    await passBy(ms, both)
    await handleAll(tell(`${ms / HOUR_MS} h later, it handles all that is due`, reference, real))
  }
  await compare(reference, real.store.inboxes()[0])
}

async function handleAll({ say, ...both }: Both): Promise<void> {
  const told: string[] = []
  await deliverAll(LEASE_MS, { say, ...both })
  for (;;) {
    const leases = await claimBy([0], 20, { ...both, say: (answer) => say([...told, answer].join(', then ')) })
    const open = both.reference.open()
    if (leases.length === 0 && open.length === 0) return
    told.push(tellLeases(leases))
    for (const held of open) await settleBy(held, 'handled', both)
  }
}

async function compare(reference: Reference, inbox: Inbox): Promise<void> {
  const kept = [...reference.entries.values()]
  const found = await Promise.all(kept.map(({ id }) => inbox.get(id)))
  for (const [index, { id, state, attempts, replays, hasBody, history }] of kept.entries()) {
    const { entry, body, attempts: recorded = [] } = found[index] ?? {}
    const is = {
      state: entry?.state,
      attempts: entry?.attempts,
      replays: entry?.replays,
      hasBody: body instanceof Uint8Array,
      history: recorded.map(({ replay, number, outcome }) => ({ replay, number, outcome })),
    }
    const right = { state, attempts, replays, hasBody, history }
    if (!isDeepStrictEqual(is, right))
      throw new Error(`in the end ${id} is ${JSON.stringify(is)}, not ${JSON.stringify(right)}`)
    const shown = found[index]?.forwards.map(({ target: name, history, ...each }) => ({
      target: name,
      state: each.state,
      attempts: each.attempts,
      replays: each.replays,
      history: history.map(({ replay, number, outcome }) => ({ replay, number, outcome })),
    }))
    const toBe = reference.forwards.all().flatMap((each) => {
      const facts = { target: each.target, state: each.state, attempts: each.attempts, replays: each.replays }
      return each.id === id ? [{ ...facts, history: each.history }] : []
    })
    toBe.sort((one, another) => (one.target < another.target ? -1 : 1))
    if (!isDeepStrictEqual(shown, toBe))
      throw new Error(`in the end the forwards of ${id} are ${JSON.stringify(shown)}, not ${JSON.stringify(toBe)}`)
    if (toBe.some((each) => each.state === 'pending' || each.state === 'running'))
      throw new Error(`in the end a forward of ${id} is still under way`)
    if (state === 'pending' || state === 'running') throw new Error(`in the end ${id} is still ${state}`)
  }
}
