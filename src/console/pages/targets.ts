import { formatDuration } from '../../operations/duration.ts'
import { formatForwards, reportTarget, surveyTargets, type TargetSummary } from '../../operations/survey-targets.ts'
import type { Context, Page, Visit } from '../context.ts'
import { entryUrl } from '../entries.ts'
import { type Html, html, type Value } from '../html.ts'
import { isNamed, judge, showCauses, showCondition, showForwardAttempts, showPost, targetUrl } from '../targets.ts'
import { showTime } from '../time.ts'

const PART = '/console/targets'

/** Each target with how it does and what waits for it. */
export async function showTargets({ context }: Visit): Promise<Page> {
  const summaries = await surveyTargets(
    context.inbox,
    context.targets.map(({ name }) => name),
  )
  const body = html`<h1>Targets</h1>
${summaries.length === 0 ? html`<p>There are none: TARGETS names no module.</p>` : showTable(context, summaries)}
<h2>On the command line</h2><p><code>npm run targets -- list</code></p>`
  return { title: 'Targets', part: PART, body }
}

function showTable(context: Context, summaries: readonly TargetSummary[]): Html {
  return html`<table><caption>Services that events are forwarded to</caption><thead><tr><th scope="col" class="status">State</th>
<th scope="col">Target</th><th scope="col" class="number">Waiting</th><th scope="col" class="number">Dead</th><th scope="col" class="wide number">Held</th>
<th scope="col" class="wide number">Oldest</th></tr></thead><tbody>${summaries.map((summary) => {
    const { name, pending, running, dead, held, oldestMs } = summary
    const verdict = judge(context, summary)
    return html`<tr><td>${showCondition(verdict)}</td><td class="main"><a data-row href="${targetUrl(name)}">${name}</a><span class="id">${hostOf(context, name)}</span>
<span class="reason">${verdict.text}</span></td><td class="number">${formatForwards(pending + running)}</td><td class="number">${formatForwards(dead)}</td>
<td class="wide number">${formatForwards(held)}</td><td class="wide number">${oldestMs === null ? '–' : formatDuration(oldestMs)}</td></tr>\n`
  })}</tbody></table>`
}

const hostOf = ({ targets }: Context, name: string) => targets.find((target) => target.name === name)?.host

/** One target: its state, its failures by cause, the last answers; hold and resume. */
export async function showTarget({ context, query }: Visit): Promise<Page> {
  const name = query.get('name') ?? ''
  const report = await reportTarget(context.inbox, name, isNamed(context, name))
  if (report === undefined) {
    const body = html`<h1>There is no such target</h1><p>TARGETS does not name it, and nothing is stored for it. <a href="${PART}">Targets</a></p>`
    return { title: 'Unknown target', part: PART, status: 404, body }
  }
  const { causes, attempts } = report
  const body = html`<h1>${name} ${showCondition(judge(context, report))}</h1>
${!context.isReadOnly && isNamed(context, name) && showButtons(context, report)}
${showFacts(context, report)}
${
  !isNamed(context, name) &&
  html`<p>Name it in TARGETS again to send what waits, or give that up: <code>npm run targets -- drop ${name} --state pending,dead,held</code></p>`
}
<h2>Failures</h2>
${
  causes.length === 0
    ? html`<p>Nothing is dead or held, and nothing waits for a retry.</p>`
    : showCauses(
        context,
        causes.map((cause) => ({ ...cause, target: name })),
        'By cause, most first',
      )
}
<h2>Last answers</h2>
${
  attempts.length === 0
    ? html`<p>None lately.</p>`
    : showForwardAttempts(attempts, {
        caption: 'Newest first',
        of: 'Event',
        link: ({ eventId, type }) =>
          html`<a data-row href="${entryUrl(eventId)}">${type}</a><span class="id">${eventId}</span>`,
        isAnswerShown: context.payloads === 'show',
      })
}
<h2>On the command line</h2><p><code>npm run targets -- show ${name}</code></p>`
  return { title: name, part: PART, body }
}

function showFacts(context: Context, report: TargetSummary): Html {
  const { name, pending, running, dead, held, oldestMs } = report
  const { text, times } = judge(context, report)
  const named = context.targets.find((target) => target.name === name)
  const oldest = oldestMs === null ? '' : `, the oldest for ${formatDuration(oldestMs)}`
  const facts: readonly (readonly [string, Value])[] = [
    ['host', named?.host],
    ['takes', named?.takes],
    ['state', html`<span class="reason">${text}</span>`],
    ...times.map(([what, at]) => [what, showTime(at)] as const),
    ['waiting', `${formatForwards(pending)}${oldest}`],
    ...Object.entries({ running, dead, held }).map(([state, count]) => [state, formatForwards(count)] as const),
  ]
  return html`<dl class="facts">${facts.map(([what, value]) => value && html`<dt>${what}</dt><dd>${value}</dd>\n`)}</dl>`
}

function showButtons(context: Context, report: TargetSummary): Html {
  const { name } = report
  const { condition } = judge(context, report)
  const does = condition === 'failing' ? 'Send now what waits for a retry' : `Resume ${name}`
  const resume = showPost('/console/target/resume', { name }, does)
  const hold = html`<details class="act"><summary>Hold…</summary>
<form method="post" action="/console/target/hold?${new URLSearchParams({ name }).toString()}"><p>Nothing is sent to it until somebody resumes; what is for it waits.</p>
<label>Why <input name="reason" maxlength="200"></label> <button>Hold ${name}</button></form></details>`
  return html`${condition !== 'sending' && resume}${condition !== 'held' && hold}`
}
