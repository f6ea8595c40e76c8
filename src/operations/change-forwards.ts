import type { EntryFacts, NewForward } from '../event.ts'
import type { ActionFacts } from '../inbox/actions.ts'
import { doneStates, type ForwardFilter, type ForwardState, forwardStates, LOOKED_AT } from '../inbox/forwards.ts'
import type { EntryFilter, Inbox } from '../inbox/inbox.ts'
import { CHUNK_SIZE } from './change-entries.ts'

/** Whether a target takes an event, by its facts and its body as text: the forward, or undefined. */
export type ChooseForward = (
  entry: Pick<EntryFacts, 'type' | 'account' | 'shape' | 'livemode'>,
  text: string,
) => NewForward | undefined

interface Running {
  /** Counts, and changes nothing. */
  readonly isRehearsal: boolean
  /** Told how many were looked at so far. */
  readonly onProgress: (count: number) => void
}

/** What operators do to forwards that are there, by its verb in the record of actions. */
export type ForwardVerb = 'replay target' | 'drop target'

/** States of the forwards that a change means unless it names others: those that nothing but a person deals with. */
export const leftStates: readonly ForwardState[] = ['dead', 'held']

type Actor = Pick<ActionFacts, 'who' | 'from'>
type ChangedFilter = ForwardFilter & { readonly states: readonly ForwardState[] }

/** Does it to a few hundred forwards; gives the ids of those that it was done to. */
const changes: Record<
  ForwardVerb,
  (inbox: Inbox, filter: ChangedFilter, eventIds: readonly string[], who: string) => Promise<string[]>
> = {
  'replay target': (inbox, { target, states }, eventIds) => inbox.forwards.replay(target, eventIds, states),
  'drop target': (inbox, { target, states }, eventIds, who) =>
    inbox.forwards.drop(target, eventIds, states, `dropped by ${who}`),
}

const isForwardVerb = (verb: string): verb is ForwardVerb => Object.hasOwn(changes, verb)

/** Forwards that failed alike. */
export interface ForwardGroup {
  readonly target: string
  readonly state: ForwardState
  readonly reason: string
}

/** Sends one event to the target anew, and records it. False when that is running, waits as it is, or cannot be sent. */
export async function replayForward(inbox: Inbox, actor: Actor, target: string, eventId: string): Promise<boolean> {
  const done = await inbox.forwards.replay(target, [eventId], [...leftStates, ...doneStates])
  const counts = { entries: 1, changed: done.length, leftAlone: 1 - done.length }
  const meant = { verb: 'replay target' satisfies ForwardVerb, filter: `target=${target}`, eventIds: [eventId] }
  await inbox.recordAction('done', { ...actor, ...meant, ...counts })
  return done.length > 0
}

/**
 * Has a server change all of the group that are there by now, within a second; the number of the action, which is that of the same one
 * while it runs. Undefined when there is nothing of it.
 */
export async function requestForwardChange(
  inbox: Inbox,
  verb: ForwardVerb,
  actor: Actor,
  { target, state, reason }: ForwardGroup,
): Promise<number | undefined> {
  const meant = { verb, filter: new URLSearchParams({ target, state, reason }).toString() }
  const running = await inbox.actions({ limit: 20, state: 'running' })
  const same = running.find(({ facts }) => facts.verb === meant.verb && facts.filter === meant.filter)
  if (same !== undefined) return same.id
  const [newest] = await inbox.forwards.list({ target, states: [state], reason }, { limit: 1 })
  if (newest === undefined) return undefined
  const causes = await inbox.forwards.causes(target)
  const isExact = causes.reduce((sum, { forwards }) => sum + forwards, 0) < LOOKED_AT
  const entries = causes.find((cause) => cause.state === state && cause.reason === reason)?.forwards
  const told = isExact && entries !== undefined ? { entries } : {}
  return inbox.recordAction('running', {
    ...{ ...actor, ...meant, ...told },
    ...{ newest: newest.eventId, changed: 0, leftAlone: 0 },
  })
}

/** What such an action, as it was recorded, does to a chunk, and where it finds the next; undefined of any other action. */
export function resumeForwardChange(inbox: Inbox, { verb, who, filter: fields }: ActionFacts) {
  if (!isForwardVerb(verb)) return undefined
  const filter = readForwardFilter(fields ?? '')
  return {
    list: (page: { readonly limit: number; readonly before: string }) => inbox.forwards.list(filter, page),
    apply: (eventIds: readonly string[]) => changes[verb](inbox, filter, eventIds, who),
  }
}

function readForwardFilter(fields: string) {
  const { target = '', state = '', reason } = Object.fromEntries(new URLSearchParams(fields))
  const states = forwardStates.filter((each) => state.split(',').includes(each))
  return { target, states, ...(reason !== undefined && { reason }) }
}

/** Of what was done to a target, for people: `shop`, `shop dead: answered 500`; undefined of what was done to entries. */
export function describeTargetFilter(fields: string): { readonly target: string; readonly text: string } | undefined {
  const { target, states, reason } = readForwardFilter(fields)
  if (target === '') return undefined
  return { target, text: `${[target, states.join()].join(' ').trimEnd()}${reason === undefined ? '' : `: ${reason}`}` }
}

/** Changes what matches; gives how many those are. */
export async function changeForwards(
  inbox: Inbox,
  verb: ForwardVerb,
  who: string,
  filter: ChangedFilter,
  { isRehearsal, onProgress }: Running,
): Promise<number> {
  let changed = 0
  let looked = 0
  for (let before: string | undefined; ; ) {
    const found = await inbox.forwards.list(filter, { limit: CHUNK_SIZE, ...(before !== undefined && { before }) })
    const eventIds = found.map(({ eventId }) => eventId)
    const done = isRehearsal ? eventIds : await changes[verb](inbox, filter, eventIds, who)
    changed += done.length
    looked += found.length
    onProgress(looked)
    if (found.length < CHUNK_SIZE) return changed
    before = eventIds.at(-1)
  }
}

/** What became of a backfill, or would. */
export interface Backfilled {
  readonly added: number
  /** Of those: held by a `where` that threw. */
  readonly held: number
  /** Events that retention has taken the bodies of: whether the target takes them is not known. */
  readonly withoutBody: number
}

/** Adds forwards of what is here and the target takes, newest first. */
export async function backfillForwards(
  inbox: Inbox,
  filter: EntryFilter,
  choose: ChooseForward,
  { isRehearsal, onProgress }: Running,
): Promise<Backfilled> {
  let [added, held, withoutBody, looked] = [0, 0, 0, 0]
  for (let before: string | undefined; ; ) {
    const found = await inbox.list(filter, { limit: CHUNK_SIZE, ...(before !== undefined && { before }) })
    const late = []
    for (const { eventId, state } of found) {
      const detail = state === 'parked' ? undefined : await inbox.get(eventId)
      if (detail?.body === null) withoutBody += 1
      if (detail === undefined || detail.body === null) continue
      const forward = choose(detail.entry, Buffer.from(detail.body).toString('utf8'))
      const isThere = detail.forwards.some(({ target }) => target === forward?.target)
      if (forward !== undefined && !isThere) late.push({ ...forward, eventId })
    }
    const taken = new Set(isRehearsal ? late.map(({ eventId }) => eventId) : await inbox.forwards.add(late))
    added += taken.size
    held += late.filter((forward) => taken.has(forward.eventId) && forward.held !== null).length
    looked += found.length
    onProgress(looked)
    if (found.length < CHUNK_SIZE) return { added, held, withoutBody }
    before = found.at(-1)?.eventId
  }
}
