import { entryStates } from '../../event.ts'
import { showActivity } from '../activity.ts'
import type { Page, Visit } from '../context.ts'
import { showState } from '../entries.ts'
import { type Html, html } from '../html.ts'
import { judgeParts, words } from '../judge-parts.ts'

/** How the server is: its parts in a line each, the entries by state, and what was done lately. */
export async function showOverview(visit: Visit): Promise<Page> {
  const { context, hold, query } = visit
  const [lines, counts, activity] = await Promise.all([
    judgeParts(context, hold),
    context.inbox.counts(),
    showActivity(context.inbox, query.get('range')),
  ])
  const body = html`<h1>Overview</h1>
<ul class="parts">${lines.map(
    ({ level, text, advice }) =>
      html`<li class="${level}"><strong>${words[level]}</strong> ${text} <span class="advice">${advice}</span></li>\n`,
  )}</ul>
${!context.isReadOnly && hold === null && holdForm}
<h2>Entries</h2>
<ul class="counts">${entryStates.map(
    (state) =>
      html`<li><a href="/console/events?state=${state}">${showState(state)} <b>${counts[state].toLocaleString('en')}</b></a></li>\n`,
  )}</ul>
${activity}`
  return { title: 'Overview', part: '/console', body, assets: ['uplot.css', 'uplot.js', 'plots.js'] }
}

const holdForm: Html = html`<details class="act"><summary>Hold…</summary>
<form method="post" action="/console/hold"><p>No handler starts any more until somebody resumes, on any process. Deliveries go on being stored.</p>
<label>Why <input name="reason" maxlength="200"></label> <button>Hold handling</button></form></details>`
