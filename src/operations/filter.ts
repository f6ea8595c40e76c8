import { type EntryState, entryStates } from '../event.ts'
import type { EntryFilter } from '../inbox/inbox.ts'
import { parseDuration } from './duration.ts'

/** One way to choose entries: an option of the command line, and a field of the console's address. */
interface Word {
  /** What its value is called in a command's help. */
  readonly value: string
  /** For a command's help. */
  readonly help: string
  /** What is said of anything else. */
  readonly expected: string
  /** Its part of the filter; undefined when the text is none of what is expected. */
  read(text: string, now: Date): EntryFilter | undefined
}

const oneOf = <const T extends string>(choices: readonly T[], text: string): T | undefined =>
  choices.find((choice) => choice === text)

const EXPECTED_AGE =
  'Expected s, m, h or d after a whole number, such as 30m, 2h or 3d, or a time that has been, such as 2026-11-21T10:00Z, which without a zone is in UTC.'

/** Every way to choose entries, by its word; what is left out matches everything. */
export const filterWords = {
  state: {
    value: 'states',
    help: 'in one of these states, separated by commas',
    expected: `Expected one or more of ${entryStates.join(', ')}, separated by commas.`,
    read(text) {
      const named = text.split(',').map((name) => oneOf(entryStates, name.trim()))
      const states = [...new Set(named.filter((state): state is EntryState => state !== undefined))]
      return named.includes(undefined) ? undefined : { states }
    },
  },
  type: {
    value: 'type',
    help: "of this event type; * stands for any characters: 'payment_intent.*'",
    expected: "Expected one event type, such as payout.failed, or several as 'payment_intent.*'.",
    read: (type) => (/^[^\s,]+$/.test(type) ? { type } : undefined),
  },
  account: {
    value: 'account',
    help: 'of this connected account (acct_…)',
    expected: 'Expected the id of a connected account, such as acct_1A2b3C4d5E6f.',
    read: (account) => (/^acct_\w+$/.test(account) ? { account } : undefined),
  },
  object: {
    value: 'id',
    help: 'about the object with this id, such as pi_1A2b3C4d5E6f',
    expected: "Expected an object's id, such as pi_1A2b3C4d5E6f.",
    read: (objectId) => (/^\S+$/.test(objectId) ? { objectId } : undefined),
  },
  id: {
    value: 'event-id',
    help: 'with this event id',
    expected: "Expected an event's id, such as evt_1A2b3C4d5E6f.",
    read: (eventId) => (/^\S+$/.test(eventId) ? { eventId } : undefined),
  },
  value: {
    value: 'text',
    help: 'with this value at one of SEARCH_FIELDS, such as cus_1A2b3C4d5E6f',
    expected: 'Expected what stands at one of SEARCH_FIELDS, such as cus_1A2b3C4d5E6f.',
    read: (value) => (/^[^\n]{1,255}$/.test(value) ? { value } : undefined),
  },
  shape: {
    value: 'shape',
    help: 'snapshot or thin',
    expected: 'Expected snapshot or thin.',
    read(text) {
      const shape = oneOf(['snapshot', 'thin'], text)
      return shape && { shape }
    },
  },
  source: {
    value: 'source',
    help: 'delivery: Stripe delivered it; reconcile: fetched because it could not',
    expected: 'Expected delivery or reconcile.',
    read(text) {
      const source = oneOf(['delivery', 'reconcile'], text)
      return source && { source }
    },
  },
  reason: {
    value: 'text',
    help: 'with this text in its reason, in upper or lower case',
    expected: 'Expected a part of the reason, on one line.',
    read: (reason) => (/\S/.test(reason) && !reason.includes('\n') ? { reason } : undefined),
  },
  since: {
    value: 'when',
    help: 'received within this time, such as 30m, 2h or 3d, or since an instant such as 2026-11-21T10:00Z',
    expected: EXPECTED_AGE,
    read: (text, now) => readAge(text, now, (receivedWithinMs) => ({ receivedWithinMs })),
  },
  until: {
    value: 'when',
    help: 'received at least this long ago, or until an instant',
    expected: EXPECTED_AGE,
    read: (text, now) => readAge(text, now, (receivedBeforeMs) => ({ receivedBeforeMs })),
  },
} as const satisfies Record<string, Word>

export type FilterWord = keyof typeof filterWords
// The cast holds: a literal's own keys are all that Object.keys gives.
export const filterWordNames = Object.keys(filterWords) as readonly FilterWord[]

/** What entries are chosen by, as someone wrote it: a well-formed text for some of the words. Empty matches everything. */
export type Choice = Readonly<Partial<Record<FilterWord, string>>>

/** Its part of the filter; undefined when the text is malformed. */
export const readWord = (word: FilterWord, text: string, now = new Date()): EntryFilter | undefined =>
  (filterWords[word] as Word).read(text, now)

/** Ages count from `now`; other fields of an object that has a choice's do no harm. */
export function toFilter(choice: Choice, now = new Date()): EntryFilter {
  return Object.assign({}, ...filterWordNames.map((word) => choice[word] && readWord(word, choice[word], now)))
}

export const isEverything = (choice: Choice): boolean => filterWordNames.every((word) => choice[word] === undefined)

/** Fields of an address → choice, with the words that are malformed. Empty fields choose nothing, repeated ones are joined by commas. */
export function readChoice(fields: URLSearchParams): { choice: Choice; faults: readonly FilterWord[] } {
  const choice: Partial<Record<FilterWord, string>> = {}
  const faults: FilterWord[] = []
  for (const word of filterWordNames) {
    const text = fields
      .getAll(word)
      .map((each) => each.trim())
      .filter((each) => each !== '')
      .join(',')
    if (text === '') continue
    if (readWord(word, text) === undefined) faults.push(word)
    else choice[word] = text
  }
  return { choice, faults }
}

/** Choice → fields of an address, the way back. */
export function toFields(choice: Choice): URLSearchParams {
  return new URLSearchParams(filterWordNames.flatMap((word) => (choice[word] ? [[word, choice[word]]] : [])))
}

/** The same as options of a command: `--state dead --type 'payout.*'`. */
export const toOptions = (choice: Choice): string =>
  filterWordNames.flatMap((word) => (choice[word] ? [`--${word} ${quote(choice[word])}`] : [])).join(' ')

/** The command that chooses the same: `npm run events -- list --type 'payout.*'`. */
export const toCommand = (command: string, choice: Choice): string =>
  `npm run events -- ${command} ${toOptions(choice)}`.trimEnd()

/** The choice that somebody made at that time: ages, which counted from then, as instants. */
export function readPastChoice(fields: string, at: Date): Choice {
  const { choice } = readChoice(new URLSearchParams(fields))
  const { receivedWithinMs: since, receivedBeforeMs: until } = toFilter(choice, at)
  const instant = (ageMs: number) => new Date(at.getTime() - ageMs).toISOString()
  return {
    ...choice,
    ...(since !== undefined && { since: instant(since) }),
    ...(until !== undefined && { until: instant(until) }),
  }
}

/** One word of a command for a POSIX shell; as it is where nothing in it means anything there. */
export function quote(text: string): string {
  return /^[\w.,:@%+/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

const INSTANT = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/

/** An age, or an instant that has been, which without a zone is in UTC. */
function readAge(text: string, now: Date, make: (ageMs: number) => EntryFilter): EntryFilter | undefined {
  const [instant, zone] = text.match(INSTANT) ?? []
  const isLocal = instant?.includes('T') && zone === undefined
  const ageMs =
    instant === undefined ? parseDuration(text) : now.getTime() - Date.parse(isLocal ? `${instant}Z` : instant)
  return ageMs !== undefined && ageMs >= 0 ? make(ageMs) : undefined
}
