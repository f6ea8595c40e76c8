import type { Action, Summary } from '../../inbox/inbox.ts'
import { type Choice, isEverything, readChoice, toCommand, toFields } from '../../operations/filter.ts'
import { cancelChange, previewChange, requestChange } from '../../operations/run-changes.ts'
import type { Answer, Page, Visit } from '../context.ts'
import { showState } from '../entries.ts'
import { type Html, html } from '../html.ts'
import { showTime } from '../time.ts'

const format = (number: number) => number.toLocaleString('en')

/** What a replay of all that match would take, and the button for exactly that. */
export async function showReplay({ context, query }: Visit): Promise<Page> {
  const { choice, faults } = readChoice(query)
  if (faults.length > 0 || isEverything(choice)) {
    const body = html`<h1>Replay</h1><p>Choose <a href="/console/events">events</a> by a filter first.</p>`
    return { title: 'Replay', status: 400, body }
  }
  const preview = await previewChange(context.inbox, 'replay', choice)
  const body = html`<h1>Replay what matches</h1>
<p><code>${toCommand('replay', choice)}</code></p>
${preview.entries === 0 ? html`<p>Nothing that matches can be replayed.</p>` : showPreview(preview)}
${preview.entries > 0 && !context.isReadOnly && showConfirmation(preview, choice)}`
  return { title: 'Replay', body }
}

function showPreview({ groups, entries, olderThan }: Summary): Html {
  const told = groups.reduce((sum, group) => sum + group.entries, 0)
  return html`<p>${format(entries)} ${entries === 1 ? 'entry' : 'entries'}; what comes later is none of them.${
    olderThan && ' Among the newest entries alone: narrow the filter to reach older ones.'
  }</p>
<table><caption>By state, type and first line of the reason</caption><thead><tr><th scope="col" class="number">Events</th><th scope="col" class="status">State</th>
<th scope="col">Type and reason</th><th scope="col" class="wide when">First</th><th scope="col" class="when">Last</th></tr></thead>
<tbody>${groups.map(
    (group) => html`<tr><td class="number">${format(group.entries)}</td><td>${showState(group.state)}</td>
<td class="main">${group.type}<br><span class="reason">${group.reason}</span></td><td class="wide when">${showTime(group.oldestAt)}</td><td
 class="when">${showTime(group.newestAt)}</td></tr>\n`,
  )}</tbody></table>
${told < entries && html`<p>${format(entries - told)} more are in smaller groups.</p>`}
${groups.some(({ state }) => state === 'handled') && html`<p class="notice">What was handled runs again.</p>`}`
}

/** The button's address holds what was shown, so that this is what runs. */
function showConfirmation({ entries, newest, oldest }: Summary, choice: Choice): Html {
  const fields = toFields(choice)
  for (const [name, value] of Object.entries({ newest, oldest, entries: String(entries) }))
    fields.set(name, value ?? '')
  return html`<form method="post" action="/console/replay-all?${fields.toString()}">
<p><label>At most so many a second, if fewer than the server can <input name="rate" inputmode="numeric" pattern="[0-9]{1,5}" maxlength="5"></label></p>
<p><button class="act" data-key="r">Replay ${format(entries)}</button></p></form>`
}

/** Has the server replay what was shown, and goes to where its progress is. */
export async function replayAll({ context: { inbox }, operator: who, query, form }: Visit): Promise<Answer> {
  const { choice, faults } = readChoice(query)
  const [newest, oldest] = [query.get('newest'), query.get('oldest')]
  const rate = form.get('rate')?.trim() || undefined
  if (faults.length > 0 || isEverything(choice) || !newest || !oldest || (rate && !/^[1-9]\d{0,4}$/.test(rate))) {
    const body = html`<h1>Nothing was replayed</h1><p>Expected a filter, and a whole number from 1 to 99999 or none as the rate.</p>`
    return { title: 'Nothing was replayed', status: 400, body }
  }
  const preview = { newest, oldest, entries: Number(query.get('entries')) || 0 }
  const request = { who, from: 'console', verb: 'replay', choice, preview } as const
  const id = await requestChange(inbox, rate ? { ...request, perSecond: Number(rate) } : request)
  return { location: changeUrl(id) }
}

const changeUrl = (id: number) => `/console/change?id=${id}`

/** How far a change of many entries has come, or how it ended. */
export async function showChange({ context, query }: Visit): Promise<Page> {
  const id = Number(query.get('id'))
  const [action] = Number.isSafeInteger(id) ? await context.inbox.actions({ limit: 1, before: id + 1 }) : []
  if (action?.id !== id) return { title: 'Unknown', status: 404, body: html`<h1>There is no such change</h1>` }
  const { state, facts } = action
  const { entries = 0, changed = 0, leftAlone = 0 } = facts
  const body = html`<h1>${facts.verb} <span class="state">${state}</span></h1>
<p id="progress" ${state === 'running' && html`data-refresh`}><progress max="${Math.max(1, entries)}" value="${changed + leftAlone}" aria-labelledby="told"></progress>
<span id="told">${format(changed)} of ${format(entries)} changed${leftAlone > 0 && `, ${format(leftAlone)} left alone`}</span></p>
${showOutcome(action)}
<p>Asked for by ${facts.who} ${showTime(action.at)}: <a href="/console/events?${facts.filter ?? ''}"><code>${facts.filter}</code></a></p>
${state === 'running' && !context.isReadOnly && html`<form method="post" action="/console/cancel?id=${id}"><button>Cancel</button></form>`}`
  return { title: `${facts.verb} ${state}`, body }
}

function showOutcome({ state, facts }: Action): Html | undefined {
  if (state === 'cancelled') return html`<p class="notice">It was cancelled: what it had changed stays so.</p>`
  return state === 'failed' ? html`<p class="notice bad">It failed: ${facts.error}</p>` : undefined
}

/** Ends a change that runs. */
export async function cancel({ context: { inbox }, operator: who, query }: Visit): Promise<Answer> {
  const id = Number(query.get('id'))
  if (Number.isSafeInteger(id)) await cancelChange(inbox, id, { who, from: 'console' })
  return { location: changeUrl(id) }
}
