import type { EntryFacts } from '../event.ts'
import { formatDuration } from '../operations/duration.ts'
import { firstLineOf, isPlain, name, quote } from './chat-text.ts'

export type Kind =
  | 'event_died'
  | 'forward_died'
  | 'forward_held'
  | 'otherwise_replied'
  | 'store_down'
  | 'store_back'
  | 'signatures_refused'
  | 'undelivered'
  | 'target_held'
  | 'trial'

/** How much there was of something, by type or code. */
export type Counts = Readonly<Record<string, number>>

/** Something that people should be told of. */
export interface News {
  readonly kind: Kind
  /** News of one cause is told together. */
  readonly cause: string
  /** At most one message for the cause in this time. */
  readonly everyMs: number
  readonly counts: Counts
  readonly eventId?: string
  /** Says it, with all that came of the cause since its last message. */
  readonly tell: (sum: Sum) => Told
}

/** What goes into one message. */
export interface Sum {
  readonly counts: Counts
  /** All of them together. */
  readonly total: number
  /** Of the last few. */
  readonly eventIds: readonly string[]
  /** The cause was told of just before, and this came since. */
  readonly isFurther: boolean
  /** There were too many causes to tell them apart. */
  readonly isMixed: boolean
}

export interface Told {
  readonly sentence: string
  /** The command to run, or what else to do. */
  readonly hint: string
  /** The same for programs. None is named `type` or `channel`, which mean something to chat systems. */
  readonly facts: Readonly<Record<string, string | number | readonly string[] | Counts>>
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const LIST_DEAD = 'npm run events -- list --state dead'

export function eventDied({ eventId, type }: Pick<EntryFacts, 'eventId' | 'type'>, error: string): News {
  const reason = firstLineOf(error) || 'no reason given'
  return {
    kind: 'event_died',
    cause: `${type} ${withoutIds(reason)}`,
    everyMs: MINUTE_MS,
    counts: { [type]: 1 },
    eventId,
    tell({ total, counts, eventIds, isFurther, isMixed }) {
      const died = `${count(total, 'event', isFurther)} died`
      const last = `${total === 1 ? '' : 'the last '}${name(eventId)}`
      if (!isMixed) {
        return {
          sentence: `${name(type)}: ${died}, ${last}: ${quote(reason)}`,
          hint: isPlain(type) ? `${LIST_DEAD} --type ${type}` : LIST_DEAD,
          facts: { count: total, eventType: type, reason, eventIds },
        }
      }
      return {
        sentence: `${died} for various other reasons, ${last} (${name(type)}): ${quote(reason)}`,
        hint: LIST_DEAD,
        facts: { count: total, types: counts, reason, eventIds },
      }
    },
  }
}

/** A target refused an event for good, or did not take it in all its attempts. */
export const forwardDied = (target: string, eventId: string, error: string): News =>
  forwardNews('forward_died', 'given up', { target, eventId, error })

/** An event was not sent to a target, since it is not known whether that takes it. */
export const forwardHeld = (target: string, eventId: string, error: string): News =>
  forwardNews('forward_held', 'held', { target, eventId, error })

function forwardNews(
  kind: 'forward_died' | 'forward_held',
  what: string,
  { target, eventId, error }: { readonly target: string; readonly eventId: string; readonly error: string },
): News {
  const reason = firstLineOf(error) || 'no reason given'
  return {
    kind,
    cause: `${kind} ${target} ${withoutIds(reason)}`,
    everyMs: MINUTE_MS,
    counts: { [target]: 1 },
    eventId,
    tell({ total, counts, eventIds, isFurther, isMixed }) {
      const given = `${count(total, 'event', isFurther)} ${what}, ${total === 1 ? '' : 'the last '}${name(eventId)}: ${quote(reason)}`
      return {
        sentence: isMixed ? `${given} (${list(counts)})` : `the target ${name(target)}: ${given}`,
        hint: isMixed ? 'npm run targets -- list' : `npm run targets -- show ${target}`,
        facts: { count: total, ...(isMixed ? { targets: counts } : { target }), reason, eventIds },
      }
    },
  }
}

/** Reasons that differ in an id alone have one cause. */
function withoutIds(reason: string): string {
  return reason.replace(/[\w-]{6,}/g, (word) => (/\d/.test(word) ? '#' : word))
}

/** A request was answered with its `otherwise`: in time, but not by the function. */
export function otherwiseReplied(type: string, how: 'otherwise' | 'failed'): News {
  const why = { otherwise: 'the function did not answer in time', failed: 'the function failed' }[how]
  return {
    kind: 'otherwise_replied',
    cause: `${type} ${how}`,
    everyMs: MINUTE_MS,
    counts: { [type]: 1 },
    tell: ({ total, counts, isFurther, isMixed }) => ({
      sentence: `${count(total, 'request', isFurther)} answered with \`otherwise\` (${list(counts)})${isMixed ? '' : `: ${why}`}`,
      hint: 'see the log of that time for the cause',
      facts: { count: total, types: counts, ...(isMixed ? {} : { how }) },
    }),
  }
}

/** Both tell how many deliveries were answered 503 since it went down. */
export function storeDown(downMs: number, refused: number): News {
  return storeNews('store_down', {
    sentence: `the store has been down for ${formatDuration(downMs)}: deliveries are answered 503 (${refused} so far), and Stripe sends them again`,
    hint: 'see the log for the cause; once there is room on the disk, or the database is up, the server goes on by itself',
    facts: { downSeconds: Math.round(downMs / 1_000), refused },
  })
}

export function storeBack(downMs: number, refused: number): News {
  return storeNews('store_back', {
    sentence: `the store is back after ${formatDuration(downMs)}; deliveries answered 503 meanwhile, which Stripe sends again: ${refused}`,
    hint: 'npm run events -- counts',
    facts: { downSeconds: Math.round(downMs / 1_000), refused },
  })
}

/** The later takes the place of the earlier that was not told yet. */
function storeNews(kind: Kind, told: Told): News {
  return { kind, cause: 'store', everyMs: 0, counts: {}, tell: () => told }
}

/** Counts by the code of the answer. */
export function signaturesRefused(codes: Counts): News {
  return {
    kind: 'signatures_refused',
    cause: 'signatures',
    everyMs: HOUR_MS,
    counts: codes,
    tell: ({ total, counts, isFurther }) => ({
      sentence: `${count(total, 'delivery', isFurther)} refused, ${list(counts)}: a secret, a proxy or a clock is wrong, or somebody forges them`,
      hint: 'npm run doctor',
      facts: { count: total, codes: counts },
    }),
  }
}

/** Counts of what reconcile added, by type. */
export function undelivered(types: Counts): News {
  return {
    kind: 'undelivered',
    cause: 'reconcile',
    everyMs: MINUTE_MS,
    counts: types,
    tell: ({ total, counts, isFurther }) => ({
      sentence: `Stripe could not deliver ${count(total, 'event', isFurther)}, which reconcile has added: ${list(counts)}`,
      hint: 'npm run events -- list --source reconcile --since 1h',
      facts: { count: total, types: counts },
    }),
  }
}

/** By the server itself: a person who holds a target knows. */
export function targetHeld(target: string, reason: string): News {
  return {
    kind: 'target_held',
    cause: `target ${target}`,
    everyMs: 0,
    counts: { [target]: 1 },
    tell: () => ({
      sentence: `the target ${name(target)} is held, ${quote(reason)}: nothing is sent to it, and what is for it waits`,
      hint: `npm run targets -- resume ${target}`,
      facts: { target, reason },
    }),
  }
}

export const trial: Told = {
  sentence: 'a trial: what the server has to tell comes like this',
  hint: 'nothing to do',
  facts: {},
}

function count(total: number, noun: 'event' | 'request' | 'delivery', isFurther: boolean): string {
  const plural = noun === 'delivery' ? 'deliveries' : `${noun}s`
  return `${total}${isFurther ? ' more' : ''} ${total === 1 ? noun : plural}`
}

const MAX_LISTED = 5

function list(counts: Counts): string {
  const all = Object.entries(counts).sort(([, one], [, other]) => other - one)
  const rest = all.slice(MAX_LISTED).reduce((sum, [, each]) => sum + each, 0)
  const named = all.slice(0, MAX_LISTED).map(([each, number]) => `${name(each)} ${number}`)
  return [...named, ...(rest === 0 ? [] : [`others ${rest}`])].join(', ')
}
