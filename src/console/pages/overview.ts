import { entryStates } from '../../event.ts'
import { formatDuration } from '../../operations/duration.ts'
import type { Context, Page, Visit } from '../context.ts'
import { showState } from '../entries.ts'
import { type Html, html } from '../html.ts'

/** How the server is: its parts in a line each, and the entries by state. */
export async function showOverview({ context }: Visit): Promise<Page> {
  const [lines, counts] = await Promise.all([judgeParts(context), context.inbox.counts()])
  const body = html`<h1>Overview</h1>
<ul class="parts">${lines.map(({ level, text, advice }) => html`<li class="${level}"><strong>${words[level]}</strong> ${text}${advice && html` <span class="advice">${advice}</span>`}</li>\n`)}</ul>
<h2>Entries</h2>
<ul class="counts">${entryStates.map((state) => html`<li><a href="/console/events?state=${state}">${showState(state)} <b>${counts[state].toLocaleString('en')}</b></a></li>\n`)}</ul>`
  return { title: 'Overview', part: '/console', body }
}

const words = { good: 'fine', warn: 'look', bad: 'act' } as const

interface Line {
  readonly level: keyof typeof words
  readonly text: Html | string
  readonly advice?: Html | string
}

const SLOW_MS = 60_000
const LATE_MS = 600_000

async function judgeParts({ inbox }: Context): Promise<Line[]> {
  const [store, oldestMs, undealt] = await Promise.all([judgeStore(inbox), inbox.oldestPendingMs(), inbox.undealt()])
  const waits = oldestMs ?? 0
  const backlog: Line =
    waits < SLOW_MS
      ? { level: 'good', text: 'Handling: nothing that is due waits for long.' }
      : {
          level: waits < LATE_MS ? 'warn' : 'bad',
          text: `Handling: what is due has waited for ${formatDuration(waits)}.`,
          advice: html`Is a worker running, and are its handlers slow? <a href="/console/events?state=pending">What waits</a>`,
        }
  const dead: Line =
    undealt.entries === 0
      ? { level: 'good', text: 'Failures: nothing is dead or parked.' }
      : {
          level: 'warn',
          text: `Failures: ${undealt.entries.toLocaleString('en')} dead or parked, the first for ${formatDuration(undealt.oldestMs ?? 0)}.`,
          advice: html`Mend the cause, then replay. <a href="/console/failures">Failures</a>`,
        }
  return [store, backlog, dead]
}

async function judgeStore(inbox: Context['inbox']): Promise<Line> {
  try {
    await inbox.check()
    return { level: 'good', text: 'Store: takes deliveries.' }
  } catch {
    return {
      level: 'bad',
      text: 'Store: takes no deliveries, Stripe is answered 503.',
      advice: 'The log tells why: disk, lock or connection.',
    }
  }
}
