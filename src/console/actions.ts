import type { Action, ActionState } from '../inbox/actions.ts'
import { describeTargetFilter } from '../operations/change-forwards.ts'
import { readPastChoice, toFields, toOptions } from '../operations/filter.ts'
import { entryUrl } from './entries.ts'
import { type Html, html } from './html.ts'
import { targetUrl } from './targets.ts'

/** Address of an action's page. */
export const actionUrl = (id: number): string => `/console/action?id=${id}`

export const formatCount = (count: number): string => count.toLocaleString('en')

const levels = { running: '', done: 'handled', cancelled: 'parked', failed: 'dead' } satisfies Record<
  ActionState,
  string
>

/** How far it has come, or what became of it. What runs is brought up to date by `progress.js`. */
export function showProgress({ id, state, facts }: Action): Html {
  const { entries, changed, leftAlone = 0, error } = facts
  const looked = (changed ?? 0) + leftAlone
  return html`<div id="progress-${id}" ${state === 'running' && html`data-progress`}><span class="state ${levels[state]}">${state}</span>
${state === 'running' && html`<progress aria-label="Progress" ${entries !== undefined && html`max="${entries}" value="${looked}"`}></progress> `}${
  changed !== undefined &&
  html`${formatCount(changed)}${state !== 'done' && entries !== undefined && ` of ${formatCount(entries)}`} changed`
}${leftAlone > 0 && `, ${formatCount(leftAlone)} left alone`}${error && html`: <span class="reason">${error}</span>`}</div>`
}

/** Which entries it was meant for, as links. */
export function showMeant({ at, facts: { filter, eventIds = [], entries } }: Action): Html {
  const target = filter && describeTargetFilter(filter)
  const named = eventIds.map((eventId) => html`<a class="id" href="${entryUrl(eventId)}">${eventId}</a> `)
  if (target) return html`<a class="id" href="${targetUrl(target.target)}">${target.text}</a> ${named}`
  if (filter !== undefined) {
    const choice = readPastChoice(filter, at)
    return html`<a class="id" href="/console/events?${toFields(choice).toString()}">${toOptions(choice)}</a>`
  }
  const others = (entries ?? 0) - eventIds.length
  return html`${named}${others > 0 && `and ${formatCount(others)} more`}`
}

/** Ends it after the few entries that it is at. */
export function showCancel({ id, facts: { verb } }: Action): Html {
  return html`<form method="post" action="/console/cancel?id=${id}"><button>Cancel the ${verb}</button></form>`
}
