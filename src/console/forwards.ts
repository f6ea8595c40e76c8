import type { ForwardDetail } from '../inbox/forwards.ts'
import type { EntryDetail } from '../inbox/inbox.ts'
import type { Context } from './context.ts'
import { type Html, html } from './html.ts'
import { isNamed, showForwardAttempts, showForwardState, showPost, targetUrl } from './targets.ts'

/** An entry's ways to targets: each with its state, its attempts and its replay; nothing when there are none. */
export function showForwards(context: Context, detail: EntryDetail, isAnswerShown: boolean): Html | undefined {
  const { forwards } = detail
  if (forwards.length === 0) return undefined
  const attempts = forwards.flatMap(({ target, history }) => history.map((attempt) => ({ ...attempt, target })))
  return html`<h2>Forwards</h2>
<table><caption>To targets</caption><thead><tr><th scope="col" class="status">State</th><th scope="col">Target and reason</th><th scope="col" class="number">Attempts</th>
<th scope="col" class="number">Status</th></tr></thead><tbody>${forwards.map((forward) => showForward(context, detail, forward))}</tbody></table>
${
  attempts.length > 0 &&
  showForwardAttempts(attempts, {
    caption: 'Attempts, oldest first of each target',
    of: 'Target',
    link: ({ target }) => target,
    isAnswerShown,
  })
}`
}

function showForward(context: Context, { body }: EntryDetail, forward: ForwardDetail): Html {
  const { eventId, target, state, attempts, reason, history } = forward
  const isPossible = !context.isReadOnly && body !== null && isNamed(context, target)
  const replay = (key?: 'r') => showPost('/console/replay-forward', { id: eventId, target }, `Replay to ${target}`, key)
  return html`<tr><td>${showForwardState(state)}</td><td class="main"><a data-row href="${targetUrl(target)}">${target}</a><span class="reason">${reason}</span>
${isPossible && (state === 'dead' || state === 'held' || state === 'dropped') && replay('r')}${
  isPossible &&
  state === 'delivered' &&
  html`<details><summary data-key="r">Replay to ${target}…</summary><p>It was delivered: the target would get it again.</p>${replay()}</details>`
}</td><td class="number">${attempts}</td><td class="number">${history.at(-1)?.status ?? '–'}</td></tr>\n`
}
