import type { Action } from '../../inbox/actions.ts'
import type { Inbox } from '../../inbox/inbox.ts'
import { cancelChange } from '../../operations/run-changes.ts'
import { actionUrl, formatCount, showCancel, showMeant, showProgress } from '../actions.ts'
import type { Answer, Page, Visit } from '../context.ts'
import { type Html, html, type Value } from '../html.ts'
import { showTime } from '../time.ts'
import { origins } from './actions.ts'

const PART = '/console/actions'

/** One action: what it was meant for, and how far it has come. */
export async function showAction({ context: { inbox, isReadOnly }, query }: Visit): Promise<Page> {
  const action = await findAction(inbox, query)
  if (action === undefined) {
    const body = html`<h1>There is no such action</h1><p>Actions are dropped with the entries of their time, but for those that run.</p>`
    return { title: 'Unknown action', part: PART, status: 404, body }
  }
  const { id, state, facts } = action
  const isRunning = state === 'running'
  const body = html`<h1>${facts.verb}</h1>
${showProgress(action)}
${
  isRunning &&
  html`<div data-while="progress-${id}"><p>It runs in one of the servers that handle, in small steps, and goes on after a restart.</p>
<noscript><p><a href="${actionUrl(id)}">How far is it now?</a></p></noscript>${!isReadOnly && showCancel(action)}</div>`
}
${showFacts(action)}
<p><a href="${PART}">All actions</a></p>`
  return { title: `${facts.verb}, ${state}`, part: PART, body, assets: ['progress.js'] }
}

function showFacts(action: Action): Html {
  const { at, facts } = action
  const { who, from, reason, entries, perSecond } = facts
  const rows: readonly (readonly [string, Value])[] = [
    ['who', html`${who}, ${origins[from]}`],
    ['when', showTime(at)],
    ['which', (facts.filter ?? facts.eventIds) !== undefined && showMeant(action)],
    ['how many', entries !== undefined && `${formatCount(entries)} meant`],
    ['rate', perSecond && `at most ${formatCount(perSecond)} a second`],
    ['why', reason && html`<span class="reason">${reason}</span>`],
  ]
  return html`<dl class="facts">${rows.map(([name, value]) => value && html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`
}

/** Ends a change that runs, and shows what became of it; one that has ended already stays as it is. */
export async function cancelAction({ context: { inbox }, operator: who, query }: Visit): Promise<Answer> {
  const action = await findAction(inbox, query)
  if (action !== undefined) await cancelChange(inbox, action.id, { who, from: 'console' })
  return { location: action === undefined ? PART : actionUrl(action.id) }
}

async function findAction(inbox: Inbox, query: URLSearchParams): Promise<Action | undefined> {
  const id = Number(query.get('id') ?? Number.NaN)
  if (!Number.isSafeInteger(id)) return undefined
  const [newest] = await inbox.actions({ limit: 1, before: id + 1 })
  return newest?.id === id ? newest : undefined
}
