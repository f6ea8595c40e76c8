import type { EntryFacts, NewEntry, Outcome } from './event.ts'
import { type Figures, WAIT_LIMITS_MS } from './inbox/figures.ts'
import type { Inbox } from './inbox/inbox.ts'
import type { Log } from './log.ts'
import { type Repeating, repeat } from './repeat.ts'

/** Counts what a process does, for people who look at it later. */
export interface FigureCounter {
  onAccepted(entry: Pick<NewEntry, 'route' | 'secret' | 'apiVersion'>): void
  onRefused(code: string): void
  onAttemptEnded(lease: { readonly entry: Pick<EntryFacts, 'receivedAt'> }, outcome: Outcome): void
  /** What was counted since it was last taken, and begins anew; undefined when nothing was. */
  take(): Figures | undefined
}

/** Signed by Stripe, so few; but a bound all the same. */
const MAX_NAMES = 50

export function createFigureCounter(now: () => number = Date.now): FigureCounter {
  let figures = createEmpty()
  let isEmpty = true

  function countIn(names: Record<string, number>, name: string): void {
    if (!Object.hasOwn(names, name) && Object.keys(names).length >= MAX_NAMES) return
    names[name] = (names[name] ?? 0) + 1
  }

  return {
    onAccepted({ route, secret, apiVersion }) {
      isEmpty = false
      figures.accepted += 1
      countIn(figures.proven, `${route} ${secret}`)
      if (apiVersion !== null) countIn(figures.versions, apiVersion)
    },
    onRefused(code) {
      isEmpty = false
      countIn(figures.refused, code)
    },
    onAttemptEnded({ entry }, { state }) {
      isEmpty = false
      if (state === 'pending' || state === 'dead') figures.failed += 1
      if (state !== 'handled') return
      figures.handled += 1
      const waitedMs = now() - entry.receivedAt.getTime()
      const index = WAIT_LIMITS_MS.findIndex((limit) => waitedMs <= limit)
      const bucket = index < 0 ? WAIT_LIMITS_MS.length : index
      figures.waits[bucket] = (figures.waits[bucket] ?? 0) + 1
    },
    take() {
      if (isEmpty) return undefined
      const taken = figures
      figures = createEmpty()
      isEmpty = true
      return taken
    },
  }
}

function createEmpty() {
  const names = (): Record<string, number> => ({})
  return {
    accepted: 0,
    handled: 0,
    failed: 0,
    waits: WAIT_LIMITS_MS.map(() => 0).concat(0),
    refused: names(),
    proven: names(),
    versions: names(),
  }
}

const EVERY_MS = 60_000

/** Hands what was counted to the inbox, once a minute and at the end. What an inbox that is down does not take is lost, and only that. */
export function startKeeping(
  {
    inbox,
    counter,
    log,
  }: { readonly inbox: Pick<Inbox, 'recordFigures'>; readonly counter: Pick<FigureCounter, 'take'>; readonly log: Log },
  everyMs = EVERY_MS,
): Repeating {
  async function keep(): Promise<void> {
    const figures = counter.take()
    if (figures === undefined) return
    await inbox
      .recordFigures(figures)
      .catch((error: unknown) => log.warn({ err: error }, 'figures of this minute are lost'))
  }

  const keeping = repeat(everyMs, keep)
  return {
    async stop() {
      await keeping.stop()
      await keep()
    },
  }
}
