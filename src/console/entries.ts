import type { Entry, EntryState } from '../event.ts'
import { type Html, html } from './html.ts'
import { showTime } from './time.ts'

/** Address of an entry's page. */
export const entryUrl = (eventId: string, further: Readonly<Record<string, string>> = {}): string =>
  `/console/event?${new URLSearchParams({ id: eventId, ...further })}`

export const showState = (state: EntryState): Html => html`<span class="state ${state}">${state}</span>`

/** Entries as a table, each row of which leads to its page; `current` is marked. */
export function showEntries(entries: readonly Entry[], caption: string, current?: string): Html {
  return html`<table class="entries"><caption>${caption}</caption>
<thead><tr><th scope="col" class="status">State</th><th scope="col">Event</th><th scope="col" class="wide">Object</th><th scope="col" class="wide">Account</th>
<th scope="col" class="wide number">Attempts</th><th scope="col" class="when">Received</th><th scope="col" class="wide">Reason</th></tr></thead>
<tbody>
${entries.map((entry) => showRow(entry, entry.eventId === current))}</tbody></table>`
}

function showRow(entry: Entry, isCurrent: boolean): Html {
  const { eventId, state, type, objectId, account, attempts, receivedAt, reason } = entry
  return html`<tr ${isCurrent && html`class="current" aria-current="true"`}><td>${showState(state)}</td>
<td class="main"><a data-row href="${entryUrl(eventId)}">${type}</a><span class="id">${eventId}</span></td>
<td class="wide id">${objectId ?? '–'}</td><td class="wide id">${account ?? '–'}</td><td class="wide number">${attempts}</td>
<td class="when">${showTime(receivedAt)}</td><td class="wide reason" title="${reason ?? ''}">${firstLineOf(reason)}</td></tr>
`
}

const firstLineOf = (reason: string | null): string => reason?.split('\n', 1)[0] ?? ''
