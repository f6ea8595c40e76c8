import {
  type ForwardCause,
  type ForwardCount,
  MAX_COUNTED,
  type TargetAttempt,
  type TargetState,
} from '../inbox/forwards.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { UNTRIED } from '../targets/circuit.ts'
import type { LoadedTarget } from '../targets/load.ts'
import { formatDuration } from './duration.ts'

/** What TARGETS says of a target, for people: no secrets. */
export interface NamedTarget {
  readonly name: string
  readonly host: string
  /** In one line, which events. */
  readonly takes: string
}

/** How a target does, and how many forwards it has in each state but delivered. */
export interface TargetSummary extends Readonly<Record<ForwardCount['state'], number>> {
  readonly name: string
  readonly state: TargetState
  /** Since when the event of the first pending one has been here; null when none is. */
  readonly oldestMs: number | null
}

export interface TargetReport extends TargetSummary {
  readonly causes: readonly ForwardCause[]
  /** Newest first. */
  readonly attempts: readonly TargetAttempt[]
}

const LAST_ATTEMPTS = 20

/** In words; of more the store does not know how many. */
export const formatForwards = (count: number): string =>
  `${count.toLocaleString('en')}${count < MAX_COUNTED ? '' : '+'}`

export function nameTarget(
  target: Pick<LoadedTarget, 'name' | 'url' | 'types' | 'accounts' | 'shapes' | 'mode' | 'where'>,
): NamedTarget {
  const { name, url, types, accounts, shapes, mode, where } = target
  const lists = [types, accounts, shapes].map((list) => list?.join(', '))
  const takes = [...lists, mode && `${mode} mode`, where && 'and its `where` says so'].filter(Boolean)
  return { name, host: url.host, takes: takes.join('; ') || 'every event' }
}

/** Those that are named, in their order, and then others that something waits for. */
export async function surveyTargets(
  inbox: Pick<Inbox, 'forwards'>,
  named: readonly string[],
): Promise<TargetSummary[]> {
  const [counts, states] = await Promise.all([inbox.forwards.counts(), inbox.forwards.states()])
  const names = [...new Set([...named, ...counts.map(({ target }) => target)])]
  return names.map((name) => {
    const own = counts.filter(({ target }) => target === name)
    const of = (state: ForwardCount['state']) => own.find((count) => count.state === state)?.forwards ?? 0
    return {
      name,
      state: states.find(({ target }) => target === name)?.state ?? UNTRIED,
      ...{ pending: of('pending'), running: of('running'), dead: of('dead'), held: of('held') },
      oldestMs: own.find(({ state }) => state === 'pending')?.oldestMs ?? null,
    }
  })
}

/** Warns of targets that something is stored for, and that are not named: nothing is sent to them. Never rejects. */
export async function warnOfStranded(
  inbox: Pick<Inbox, 'forwards'>,
  named: readonly Pick<LoadedTarget, 'name'>[],
  log: Log,
): Promise<void> {
  try {
    const stored = new Set((await inbox.forwards.counts()).map(({ target }) => target))
    const stranded = [...stored.difference(new Set(named.map(({ name }) => name)))]
    const words =
      'TARGETS of this process does not name these, and events wait for them: `targets show`, `targets drop`'
    if (stranded.length > 0) log.warn({ targets: stranded }, words)
  } catch {
    // A store that is down is told of by whoever needs it.
  }
}

/** All that the store knows of one target; undefined when it is not named, and nothing is known. */
export async function reportTarget(
  inbox: Pick<Inbox, 'forwards'>,
  name: string,
  isNamed: boolean,
): Promise<TargetReport | undefined> {
  const [summaries, causes, attempts] = await Promise.all([
    surveyTargets(inbox, [name]),
    inbox.forwards.causes(name),
    inbox.forwards.lastAttempts(name, LAST_ATTEMPTS),
  ])
  const found = summaries.find((each) => each.name === name)
  if (found === undefined) return undefined
  const { pending, running, dead, held, state } = found
  const isKnown = isNamed || pending + running + dead + held + attempts.length > 0 || state !== UNTRIED
  return isKnown ? { ...found, causes, attempts } : undefined
}

/** What wants a person; undefined when nothing does. */
function tellLeft(left: Pick<TargetSummary, 'dead' | 'held'>): string | undefined {
  const told = Object.entries(left).filter(([, forwards]) => forwards > 0)
  return told.length === 0
    ? undefined
    : told.map(([state, forwards]) => `${formatForwards(forwards)} ${state}`).join(', ')
}

/** Whether anything is sent to a target, in a word and in a line, with the instants in it. */
export interface TargetVerdict {
  readonly condition: 'sending' | 'failing' | 'paused' | 'circuit open' | 'held' | 'not named'
  readonly text: string
  readonly times: readonly (readonly [name: string, at: Date])[]
}

export function judgeTarget(
  { state, dead, held }: Pick<TargetSummary, 'state' | 'dead' | 'held'>,
  isNamed: boolean,
  now = Date.now(),
): TargetVerdict {
  const { hold, open, pausedUntil, failures } = state
  const ago = (at: number) => formatDuration(now - at)
  const failed = `${failures} ${failures === 1 ? 'failure' : 'failures'} in a row`
  if (!isNamed) return { condition: 'not named', text: 'TARGETS does not name it: nothing is sent', times: [] }
  if (hold !== null) {
    const text = `held for ${ago(hold.at)} by ${hold.who}: ${hold.reason}`
    return { condition: 'held', text, times: [['held since', new Date(hold.at)]] }
  }
  if (pausedUntil !== null && pausedUntil > now) {
    const text = `paused, as it asked, for another ${formatDuration(pausedUntil - now)}`
    return { condition: 'paused', text, times: [['paused until', new Date(pausedUntil)]] }
  }
  if (open === null)
    return failures === 0
      ? { condition: 'sending', text: tellLeft({ dead, held }) ?? 'well', times: [] }
      : { condition: 'failing', text: failed, times: [] }
  const times = [
    ['open since', new Date(open.since)],
    ['next attempt', new Date(open.probeAt)],
  ] as const
  return { condition: 'circuit open', text: `circuit open for ${ago(open.since)}, ${failed}`, times }
}
