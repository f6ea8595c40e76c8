import type { Action } from '../../inbox/actions.ts'
import { actionUrl, showCancel, showMeant, showProgress } from '../actions.ts'
import type { Page, Visit } from '../context.ts'
import { type Html, html } from '../html.ts'
import { showTime } from '../time.ts'

const PAGE_SIZE = 50
const MAX_RUNNING = 20
const PATH = '/console/actions'

/** Who did what, newest first, a page at a time; what still runs stands first. */
export async function showActions({ context: { inbox, isReadOnly }, query }: Visit): Promise<Page> {
  const before = Number(query.get('before') ?? Number.NaN)
  const isFirst = !Number.isSafeInteger(before)
  const [running, found] = await Promise.all([
    isFirst ? inbox.actions({ limit: MAX_RUNNING, state: 'running' }) : [],
    inbox.actions({ limit: PAGE_SIZE, ...(!isFirst && { before }) }),
  ])
  const last = found.length === PAGE_SIZE && found.at(-1)?.id
  const body = html`<h1>Actions</h1>
${running.length > 0 && html`<h2>Running</h2>${running.map((action) => showRunning(action, isReadOnly))}<h2>All</h2>`}
${found.length === 0 ? html`<p>Nobody has done anything${!isFirst && ' before that'}.</p>` : showTable(found)}
<p class="pages">${!isFirst && html`<a href="${PATH}">newest</a> `}${last && html`<a href="${PATH}?before=${last}" rel="next">older</a>`}</p>
<h2>On the command line</h2><p><code>npm run events -- actions</code></p>`
  return { title: 'Actions', part: PATH, body, assets: ['progress.js'] }
}

function showRunning(action: Action, isReadOnly: boolean): Html {
  const { id, at, facts } = action
  return html`<section class="running"><p><a href="${actionUrl(id)}">${facts.verb}</a> by ${facts.who}, ${showTime(at)}: ${showMeant(action)}</p>
${showProgress(action)}${!isReadOnly && html`<div data-while="progress-${id}">${showCancel(action)}</div>`}</section>`
}

function showTable(actions: readonly Action[]): Html {
  return html`<table><caption>Newest first</caption><thead><tr><th scope="col" class="when">When</th><th scope="col" class="wide">Who</th>
<th scope="col">What</th><th scope="col">Outcome</th></tr></thead>
<tbody>${actions.map(showRow)}</tbody></table>`
}

function showRow(action: Action): Html {
  const { id, at, state, facts } = action
  const outcome = state === 'running' ? html`<span class="state">running</span>` : showProgress(action)
  return html`<tr><td class="when">${showTime(at)}</td><td class="wide">${facts.who} <span class="soft">${origins[facts.from]}</span></td>
<td class="main"><a data-row href="${actionUrl(id)}">${facts.verb}</a>${showMeant(action)}<span class="reason">${facts.reason}</span></td>
<td>${outcome}</td></tr>
`
}

/** Where something was done. */
export const origins = { console: 'on the console', command: 'on the command line' } as const
