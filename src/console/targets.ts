import { type ForwardAttempt, type ForwardCause, type ForwardState, LOOKED_AT } from '../inbox/forwards.ts'
import { formatDuration } from '../operations/duration.ts'
import { judgeTarget, type TargetSummary, type TargetVerdict } from '../operations/survey-targets.ts'
import type { Context } from './context.ts'
import { type Html, html, type Value } from './html.ts'
import { showTime } from './time.ts'

/** Address of a target's page. */
export const targetUrl = (name: string, further: Readonly<Record<string, string>> = {}): string =>
  `/console/target?${new URLSearchParams({ name, ...further })}`

/** Whether TARGETS names it: only then is anything sent. */
export const isNamed = ({ targets }: Context, name: string): boolean => targets.some((target) => target.name === name)

export const judge = (context: Context, summary: TargetSummary): TargetVerdict =>
  judgeTarget(summary, isNamed(context, summary.name))

const conditionClasses = {
  sending: 'handled',
  failing: 'parked',
  paused: 'parked',
  'circuit open': 'dead',
  held: 'dead',
  'not named': 'parked',
} as const satisfies Record<TargetVerdict['condition'], string>

export const showCondition = ({ condition }: TargetVerdict): Html =>
  html`<span class="state ${conditionClasses[condition]}">${condition}</span>`

const stateClasses = {
  pending: '',
  running: '',
  delivered: 'handled',
  dead: 'dead',
  held: 'parked',
  dropped: '',
} as const satisfies Record<ForwardState, string>

export const showForwardState = (state: ForwardState): Html =>
  html`<span class="state ${stateClasses[state]}">${state}</span>`

/** A form without fields, for what its address tells. */
export const showPost = (path: string, fields: Readonly<Record<string, string>>, button: string, key?: 'r'): Html =>
  html`<form method="post" action="${path}?${new URLSearchParams(fields).toString()}"><button ${key && html`data-key="${key}"`}>${button}</button></form>`

/** Failures of targets by cause, each with what replays all of it where somebody has to. */
export function showCauses(
  context: Context,
  causes: readonly (ForwardCause & { readonly target: string })[],
  caption: string,
): Html {
  return html`<table><caption>${caption}, of the newest ${LOOKED_AT.toLocaleString('en')} of a target</caption>
<thead><tr><th scope="col" class="number">Forwards</th><th scope="col" class="status">State</th><th scope="col">Target and cause</th>
<th scope="col" class="when">Last</th></tr></thead><tbody>${causes.map(
    ({ target, state, reason, forwards, newestAt }) => {
      const isLeft = !context.isReadOnly && (state === 'dead' || state === 'held')
      const fields = { target, state, reason }
      return html`<tr><td class="number">${forwards.toLocaleString('en')}</td><td>${showForwardState(state)}</td>
<td class="main"><a data-row href="${targetUrl(target)}">${target}</a><span class="reason">${reason}</span>${
        isLeft && isNamed(context, target) && showPost('/console/replay-forwards', fields, 'Replay all of these', 'r')
      }${
        isLeft &&
        html`<details><summary>Drop all of these…</summary><p>They are not sent any more, and retention takes their events in turn.</p>${showPost('/console/drop-forwards', fields, 'Drop all of these')}</details>`
      }</td><td class="when">${showTime(newestAt)}</td></tr>\n`
    },
  )}</tbody></table>`
}

/** Attempts with how they ended; what `link` gives tells whose each is. */
export function showForwardAttempts<Attempt extends ForwardAttempt>(
  attempts: readonly Attempt[],
  {
    caption,
    of,
    link,
    isAnswerShown,
  }: {
    readonly caption: string
    readonly of: string
    readonly link: (attempt: Attempt) => Value
    readonly isAnswerShown: boolean
  },
): Html {
  return html`<table><caption>${caption}</caption><thead><tr><th scope="col" class="when">Started</th><th scope="col">${of}</th>
<th scope="col" class="wide number">Attempt</th><th scope="col" class="wide number">Took</th><th scope="col" class="status">Outcome</th>
<th scope="col">Answer</th></tr></thead><tbody>${attempts.map((attempt) => {
    const { number, startedAt, endedAt, outcome, status, error, answer } = attempt
    const took = formatDuration(endedAt.getTime() - startedAt.getTime())
    const shown = isAnswerShown ? answer : 'What it began with is hidden (CONSOLE_PAYLOADS).'
    return html`<tr><td class="when">${showTime(startedAt)}</td><td class="main">${link(attempt)}</td><td class="wide number">${number}</td>
<td class="wide number">${took}</td><td>${outcome}${status !== null && ` ${status}`}</td><td class="error">${error}${
      answer && html`\n<span class="soft">${shown}</span>`
    }</td></tr>\n`
  })}</tbody></table>`
}
