import type { Counts, News, Sum } from './news.ts'

/** What one message is to tell. */
export interface Due {
  readonly cause: string
  /** The last of it. */
  readonly news: News
  readonly sum: Sum
  /** When the last of it came. */
  readonly lastAt: number
}

/** Groups news by cause, and says when each may be told. Instants are milliseconds of any one clock. */
export interface Pace {
  add(news: News, now: number): void
  /** When there is something to take; undefined while nothing waits. */
  dueAt(): number | undefined
  /** What has been due for longest; undefined when nothing is. */
  take(now: number): Due | undefined
  /** What was taken was told, or not: then it waits again, with what came since. False when that was in vain too often: it is dropped. */
  onTried(due: Due, isTold: boolean, now: number): boolean
}

interface Group {
  readonly kind: News['kind']
  waiting: Due | undefined
  /** Taken, and neither told nor told in vain yet. */
  isOut: boolean
  /** Not told before. */
  dueAt: number
  wasTold: boolean
  /** In vain, one after the other. */
  tries: number
}

/** Causes of a kind that are told apart at a time; further ones are told together. */
const MAX_CAUSES = 20
const MAX_NAMES = 20
const MAX_IDS = 5
/** After a try in vain, for everything: most probably nobody would take another. */
const REST_MS = 60_000
const MAX_TRIES = 5

export function createPace(): Pace {
  const groups = new Map<string, Group>()
  let restUntil = Number.NEGATIVE_INFINITY

  /** Its time has passed, and nothing came: what comes now is new. */
  const isOver = ({ waiting, isOut, dueAt }: Group, now: number) => waiting === undefined && !isOut && dueAt <= now

  function findKey({ kind, cause }: News, now: number): string {
    for (const [key, group] of groups) if (isOver(group, now)) groups.delete(key)
    const ofKind = groups.values().filter((group) => group.kind === kind)
    return groups.has(cause) || [...ofKind].length < MAX_CAUSES ? cause : kind
  }

  function findDue(): Group | undefined {
    const waiting = groups.values().filter((group) => group.waiting !== undefined)
    return waiting.reduce<Group | undefined>(
      (first, each) => (first && first.dueAt <= each.dueAt ? first : each),
      undefined,
    )
  }

  return {
    add(news, now) {
      const cause = findKey(news, now)
      const fresh: Group = { kind: news.kind, waiting: undefined, isOut: false, dueAt: now, wasTold: false, tries: 0 }
      const group = groups.get(cause) ?? fresh
      groups.set(cause, group)
      const due = { cause, news, sum: begin(news, group.wasTold, cause === news.kind), lastAt: now }
      group.waiting = group.waiting === undefined ? due : join(group.waiting, due)
    },
    dueAt() {
      const first = findDue()
      return first && Math.max(first.dueAt, restUntil)
    },
    take(now) {
      const first = findDue()
      if (first?.waiting === undefined || Math.max(first.dueAt, restUntil) > now) return undefined
      const due = first.waiting
      first.waiting = undefined
      first.isOut = true
      first.dueAt = now + due.news.everyMs
      return due
    },
    onTried(due, isTold, now) {
      const group = groups.get(due.cause)
      if (group === undefined) return true
      group.isOut = false
      group.wasTold ||= isTold
      group.tries = isTold ? 0 : group.tries + 1
      if (isTold) return true
      restUntil = now + REST_MS
      group.dueAt = restUntil
      if (group.tries < MAX_TRIES) {
        group.waiting = group.waiting === undefined ? due : join(due, group.waiting)
        return true
      }
      group.tries = 0
      return false
    },
  }
}

function begin({ counts, eventId }: News, isFurther: boolean, isMixed: boolean): Sum {
  const eventIds = eventId === undefined ? [] : [eventId]
  return { counts, total: sumOf(counts), eventIds, isFurther, isMixed }
}

function join(earlier: Due, later: Due): Due {
  const sum: Sum = {
    counts: addCounts(earlier.sum.counts, later.sum.counts),
    total: earlier.sum.total + later.sum.total,
    eventIds: [...earlier.sum.eventIds, ...later.sum.eventIds].slice(-MAX_IDS),
    isFurther: earlier.sum.isFurther,
    isMixed: earlier.sum.isMixed,
  }
  return { ...later, sum }
}

function sumOf(counts: Counts): number {
  return Object.values(counts).reduce((sum, each) => sum + each, 0)
}

/** Names beyond a bound are one: anybody's types could be many. */
function addCounts(some: Counts, more: Counts): Counts {
  const sum = new Map(Object.entries(some))
  for (const [name, count] of Object.entries(more)) {
    const known = sum.has(name) || sum.size < MAX_NAMES ? name : 'other'
    sum.set(known, (sum.get(known) ?? 0) + count)
  }
  return Object.fromEntries(sum)
}
