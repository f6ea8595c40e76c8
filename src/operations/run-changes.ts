import { ReceiverError } from '../errors.ts'
import type { Action, ActionFacts } from '../inbox/actions.ts'
import type { Inbox, Summary } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { pause, type Repeating, repeat } from '../repeat.ts'
import { CHUNK_SIZE, type Change, MIN_PAUSE_MS, statesOf } from './change-entries.ts'
import { resumeForwardChange } from './change-forwards.ts'
import { dropBy, replay } from './changes.ts'
import { type Choice, readChoice, toFields, toFilter } from './filter.ts'

const changes = { replay: () => replay, drop: dropBy } satisfies Record<string, (who: string) => Change>

/** What a server can do to all that match. */
export type ServedVerb = keyof typeof changes

export const isServedVerb = (verb: string): verb is ServedVerb => Object.hasOwn(changes, verb)

/** Whether it can be done in any of the states that the choice names. */
export const isPossible = (verb: ServedVerb, choice: Choice): boolean =>
  statesOf(changes[verb](''), { filter: toFilter(choice) }).length > 0

/** What a running action does to a chunk, and where it finds the next, newest first. */
interface Steps {
  list(page: {
    readonly limit: number
    readonly before: string
    readonly downTo: string
  }): Promise<readonly { readonly eventId: string }[]>
  apply(eventIds: readonly string[]): Promise<string[]>
}

/** Undefined when this server does not know the verb. */
function stepsOf(inbox: Inbox, facts: ActionFacts): Steps | undefined {
  const { verb, who } = facts
  if (!isServedVerb(verb)) return resumeForwardChange(inbox, facts)
  const change = changes[verb](who)
  const filter = filterOf(change, facts)
  return {
    list: (page) => inbox.list(filter, page),
    apply: (eventIds) => change.apply(inbox, eventIds, filter.states),
  }
}

/** Of a preview; there are a handful of types and reasons, as a rule. */
const GROUPS = 100

/** What a change of the choice would take now, by reading alone: of all, or of what came before an event id. */
export function previewChange(
  inbox: Pick<Inbox, 'summarize'>,
  verb: ServedVerb,
  choice: Choice,
  before?: string,
): Promise<Summary> {
  const change = changes[verb]('')
  const filter = toFilter(choice)
  const meant = {
    ...filter,
    states: statesOf(change, { filter }),
    ...(change.isRun && ({ isUnanswered: true } as const)),
  }
  return inbox.summarize(meant, { limit: GROUPS, ...(before !== undefined && { before }) })
}

/** Ages are left out: what was shown is between its newest and its oldest, however long it takes. */
function filterOf(change: Change, { filter: fields }: ActionFacts) {
  const {
    receivedWithinMs: _since,
    receivedBeforeMs: _until,
    ...filter
  } = toFilter(readChoice(new URLSearchParams(fields)).choice)
  return { ...filter, states: statesOf(change, { filter }), ...(change.isRun && ({ isUnanswered: true } as const)) }
}

export interface ChangeRequest extends Pick<ActionFacts, 'who' | 'from'> {
  readonly verb: ServedVerb
  readonly choice: Choice
  /** What was shown: nothing that came later is changed, nor what was not looked at. */
  readonly preview: Pick<Summary, 'entries' | 'newest' | 'oldest'>
  readonly perSecond?: number
}

/** Has a server change all that match, within a second; the number of the action. */
export function requestChange(inbox: Pick<Inbox, 'recordAction'>, request: ChangeRequest): Promise<number> {
  const { who, from, verb, choice, preview, perSecond } = request
  const { entries, newest, oldest } = preview
  if (newest === null || oldest === null) throw new TypeError('There is nothing to change: no entry matched.')
  const filter = toFields(choice).toString()
  const facts: ActionFacts = { who, from, verb, filter, entries, newest, oldest, changed: 0, leftAlone: 0 }
  return inbox.recordAction('running', perSecond === undefined ? facts : { ...facts, perSecond })
}

const POLL_MS = 1_000
const OUTAGE_MS = 5_000
const TURN = 'changes'
/** Held by the process that runs changes, and renewed with each chunk; when it dies, another goes on after this. */
const TURN_MS = 15_000

/**
 * Runs what was requested, in small steps, in one of the processes on the inbox at a time, over restarts and outages: each chunk's
 * end is recorded, and a stop waits for it. A process that dies between a chunk and its record does that chunk twice, which changes
 * nothing, but for handled entries that were to run again.
 */
export function startChangeRunner(
  { inbox, log }: { readonly inbox: Inbox; readonly log: Log },
  pollMs = POLL_MS,
  outageMs = OUTAGE_MS,
): Repeating {
  async function runAll(signal: AbortSignal): Promise<void> {
    try {
      const running = await inbox.actions({ limit: 10, state: 'running' })
      for (const action of running.toReversed()) await run(action, signal)
      // So that whoever is next need not wait for it to end.
      if (running.length > 0) await inbox.takeTurn(TURN, 0)
    } catch (error) {
      log.warn({ err: error }, 'changes of many entries cannot go on; will try again')
      await pause(outageMs, signal)
    }
  }

  async function run({ id, facts }: Action, signal: AbortSignal): Promise<void> {
    let progress: ActionFacts | undefined = facts
    try {
      const steps = stepsOf(inbox, facts)
      while (steps !== undefined && progress !== undefined && !signal.aborted) {
        if (!(await inbox.takeTurn(TURN, TURN_MS))) return
        progress = await step(id, steps, progress, signal)
      }
    } catch (error) {
      if (error instanceof ReceiverError && error.code === 'store_unavailable') throw error
      log.error({ err: error, who: facts.who, verb: facts.verb }, 'a change of many entries failed')
      await inbox.updateAction(id, 'failed', { ...(progress ?? facts), error: 'the log has the cause' })
    }
  }

  /** Does a chunk, and tells how far it has come; undefined once there is no more of it, or somebody ended it. */
  async function step(
    id: number,
    steps: Steps,
    facts: ActionFacts,
    signal: AbortSignal,
  ): Promise<ActionFacts | undefined> {
    const { changed = 0, leftAlone = 0, perSecond } = facts
    const startedAt = performance.now()
    const eventIds = await readChunk(steps, facts)
    if (eventIds.length === 0) {
      await inbox.updateAction(id, 'done', facts)
      log.info({ who: facts.who, verb: facts.verb, entries: changed, leftAlone }, 'a change of many entries is done')
      return undefined
    }
    const taken = (await steps.apply(eventIds)).length
    const progress = {
      ...facts,
      changed: changed + taken,
      leftAlone: leftAlone + eventIds.length - taken,
      next: eventIds.at(-1) ?? '',
    }
    if (!(await inbox.updateAction(id, 'running', progress))) return undefined
    const tookMs = performance.now() - startedAt
    await pause(
      Math.max(MIN_PAUSE_MS, perSecond === undefined ? tookMs : (eventIds.length / perSecond) * 1_000 - tookMs),
      signal,
    )
    return progress
  }

  async function readChunk(
    { list }: Steps,
    { next, newest = '', oldest = '', perSecond }: ActionFacts,
  ): Promise<string[]> {
    const limit = Math.min(CHUNK_SIZE, perSecond ?? CHUNK_SIZE)
    const found = await list({ limit, before: next ?? newest, downTo: oldest })
    const eventIds = found.map(({ eventId }) => eventId)
    // The newest itself is of those that were shown.
    return next === undefined ? [newest, ...eventIds] : eventIds
  }

  return repeat(pollMs, runAll)
}

/** Ends a change that runs, after its chunk under way; false when it does not run any more. */
export async function cancelChange(
  inbox: Pick<Inbox, 'updateAction' | 'recordAction'>,
  id: number,
  actor: Pick<ActionFacts, 'who' | 'from'>,
): Promise<boolean> {
  const isCancelled = await inbox.updateAction(id, 'cancelled')
  if (isCancelled) await inbox.recordAction('done', { ...actor, verb: `cancel ${id}` })
  return isCancelled
}
