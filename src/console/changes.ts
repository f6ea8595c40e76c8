import { type Choice, isEverything, readChoice, toFields } from '../operations/filter.ts'
import { isPossible, isServedVerb, type ServedVerb } from '../operations/run-changes.ts'
import type { Page } from './context.ts'
import { type Html, html } from './html.ts'

export const CHANGE_PATH = '/console/change'
/** How many entries a second a change may be told to take at most. */
export const MAX_PER_SECOND = 10_000

export const titles = { replay: 'Replay', drop: 'Drop' } as const satisfies Record<ServedVerb, string>

/** Address of a preview: of all that match, or of what came before an event id. */
export const changeUrl = (verb: ServedVerb, choice: Choice, before?: string): string =>
  `${CHANGE_PATH}?${new URLSearchParams([['verb', verb], ...toFields(choice), ...(before ? [['before', before]] : [])])}`

/** Links to the previews of what can be done to all that match; nothing is, to everything. */
export function showChanges(choice: Choice, which: string): Html | undefined {
  if (isEverything(choice)) return undefined
  const replay = html`<a href="${changeUrl('replay', choice)}" data-key="r">Replay ${which}…</a>`
  const drop = html`<a href="${changeUrl('drop', choice)}">Drop ${which}…</a>`
  return html`<p class="changes">${isPossible('replay', choice) && replay} ${isPossible('drop', choice) && drop}</p>`
}

export interface Refusal extends Page {
  readonly status: number
}

/** What is to be done, and to what, as an address or a form tells it; or the page that says what is wrong. */
export function readAsked(fields: URLSearchParams): { readonly verb: ServedVerb; readonly choice: Choice } | Refusal {
  const verb = fields.get('verb') ?? ''
  const { choice, faults } = readChoice(fields)
  if (!isServedVerb(verb)) return refuseChange('What matches can be replayed or dropped.')
  if (faults.length > 0) return refuseChange(`The filter is malformed: ${faults.join(', ')}.`)
  if (isEverything(choice)) return refuseChange('Choose by a filter: nothing is done to everything.')
  return { verb, choice }
}

export function refuseChange(sentence: string, link = html`<a href="/console/events">Events</a>`): Refusal {
  const body = html`<h1>Nothing was changed</h1><p>${sentence} ${link}</p>`
  return { title: 'Nothing was changed', part: '/console/events', status: 400, body }
}
