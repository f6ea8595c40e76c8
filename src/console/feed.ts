import type { Entry, EntryFacts, EntryState, Lease, Outcome, WebhookRoute } from '../event.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { formatDuration } from '../operations/duration.ts'
import { showHidden } from '../operations/show-hidden.ts'
import { entryUrl } from './entries.ts'

/** What came, was settled or was refused, as texts to show; one of the same key takes its place. */
export interface Line {
  readonly key: string
  /** When it came, as an instant. */
  readonly at: string
  readonly state: EntryState | 'refused' | 'note'
  readonly what: string
  /** Of the entry's page; empty when there is none. */
  readonly url: string
  readonly id: string
  readonly note: string
}

export interface Feed {
  /** What this process is told itself. */
  onRefused(route: WebhookRoute | 'none', status: number, code: string): void
  onAttemptEnded(lease: Pick<Lease, 'entry'>, outcome: Outcome, durationMs: number): void
  /** Asks the store what came, and what became of it in any process. */
  look(): Promise<void>
  /** Has a sentence among the lines. */
  tell(sentence: string): void
  /** Lines that are new or changed since that number, what came first first; 0 for all that are kept. */
  since(number: number): { readonly lines: readonly Line[]; readonly number: number }
}

/** The newest entries: as many are looked at, and shown. */
export const MAX_SHOWN = 100
/** Of entries, and of what else there is: a flood of the one leaves the other. */
const MAX_KEPT = 200

interface Kept {
  readonly number: number
  readonly state: Line['state']
  /** This process was told itself, and knows more than the store. */
  readonly isOwn: boolean
  /** Made when somebody looks. */
  readonly make: () => Omit<Line, 'key' | 'state'>
}

/** Keeps the newest lines in memory. */
export function createFeed(inbox: Pick<Inbox, 'list'>, now: () => number = Date.now): Feed {
  const entries = new Map<string, Kept>()
  const others = new Map<string, Kept>()
  /** How the newest entries were when last looked at. */
  let known = new Map<string, string>()
  let looking: Promise<void> | undefined
  /** Refused requests that are alike, of this second. */
  const alike = new Map<string, number>()
  let second = 0
  let number = 0

  function put(lines: Map<string, Kept>, key: string, line: Pick<Kept, 'state' | 'make'>, isOwn = false): void {
    number += 1
    // Goes to the end: the first is the oldest.
    lines.delete(key)
    lines.set(key, { ...line, number, isOwn })
    const [oldest] = lines.keys()
    if (lines.size > MAX_KEPT && oldest !== undefined) lines.delete(oldest)
  }

  async function look(): Promise<void> {
    const found = await inbox.list({}, { limit: MAX_SHOWN })
    const oldest = found[MAX_SHOWN - 1]
    if (oldest !== undefined && known.size > 0 && !found.some(({ eventId }) => known.has(eventId)))
      tell('more arrived than are shown', oldest.receivedAt.getTime() - 1)
    for (const entry of found.toReversed()) {
      const { eventId, state, reason } = entry
      const kept = entries.get(eventId)
      const isTold = known.get(eventId) === stampOf(entry) || (kept?.isOwn && kept.state === state)
      if (!isTold) put(entries, eventId, { state, make: () => describe(entry, reason ?? '') })
    }
    known = new Map(found.map((entry) => [entry.eventId, stampOf(entry)]))
  }

  function tell(sentence: string, time = now()): void {
    const at = new Date(time).toISOString()
    put(others, `${sentence} ${at}`, { state: 'note', make: () => ({ at, what: sentence, url: '', id: '', note: '' }) })
  }

  return {
    onRefused(route, status, code) {
      const time = Math.floor(now() / 1_000)
      if (time !== second) alike.clear()
      second = time
      const requests = (alike.get(`${code} ${route}`) ?? 0) + 1
      alike.set(`${code} ${route}`, requests)
      const at = new Date(now()).toISOString()
      const note = `answered ${status} by this process${requests === 1 ? '' : `, ${requests} requests`}`
      const make = () => ({ at, what: code, url: '', id: routes[route], note })
      put(others, `${time} ${code} ${route}`, { state: 'refused', make })
    },
    onAttemptEnded({ entry }, outcome, durationMs) {
      const make = () => {
        const error = 'error' in outcome ? `: ${outcome.error}` : ''
        return describe(entry, `in ${formatDuration(durationMs)} by this process${error}`)
      }
      put(entries, entry.eventId, { state: outcome.state, make }, true)
    },
    look: () => (looking ??= look().finally(() => (looking = undefined))),
    tell,
    since(after) {
      const changed = [...entries, ...others].filter(([, kept]) => kept.number > after)
      const lines = changed.map(([key, { state, make }]) => ({ key, state, ...make() }))
      return { lines: lines.sort((one, other) => Date.parse(one.at) - Date.parse(other.at)), number }
    },
  }
}

const routes = { account: '/webhook', connect: '/webhook/connect', none: 'none that could be told' } as const

const stampOf = ({ state, attempts, replays }: Entry) => `${state} ${attempts} ${replays}`

const MAX_NOTE = 200

function describe({ eventId, type, receivedAt }: EntryFacts, note: string): ReturnType<Kept['make']> {
  const firstLine = note.split('\n', 1)[0]?.slice(0, MAX_NOTE) ?? ''
  const texts = { what: showHidden(type), id: showHidden(eventId), note: showHidden(firstLine) }
  return { at: receivedAt.toISOString(), url: entryUrl(eventId), ...texts }
}
