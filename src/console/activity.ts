import type { Inbox } from '../inbox/inbox.ts'
import { type Html, html, type Value } from './html.ts'
import { mends } from './refusals.ts'
import { type Count, countNames, describeWait, type Point, toPoints } from './tally.ts'
import { showTime } from './time.ts'

const HOUR_MS = 3_600_000

/** How far back plots go, and the time that a point stands for. */
const ranges = {
  hour: { title: 'last hour', sinceMs: HOUR_MS, stepMs: 60_000 },
  day: { title: 'last day', sinceMs: 24 * HOUR_MS, stepMs: HOUR_MS / 4 },
  week: { title: 'last week', sinceMs: 168 * HOUR_MS, stepMs: 2 * HOUR_MS },
} as const
type Range = keyof typeof ranges

/** What the processes on the inbox counted each minute, over the hour unless a range is named. */
export async function showActivity(inbox: Inbox, asked: string | null): Promise<Html> {
  const range: Range = asked !== null && Object.hasOwn(ranges, asked) ? (asked as Range) : 'hour' // its own keys are the ranges
  const { title, sinceMs, stepMs } = ranges[range]
  const minutes = await inbox.figures(sinceMs)
  const tabs = Object.entries(ranges).map(
    ([name, other]) =>
      html`<a href="/console?range=${name}" ${name === range && html`aria-current="true"`}>${other.title}</a> `,
  )
  return html`<h2 id="activity">Activity</h2>
<p class="tabs">${tabs}</p>
<p>From stored to handled: half ${describeWait(minutes, 0.5)}, 99 of 100 ${describeWait(minutes, 0.99)}.</p>
<div id="plot" class="plot"></div>
${showPoints(toPoints(minutes, sinceMs, stepMs), title)}
${showCounts('Refused deliveries', 'Code', countNames(minutes, 'refused'), ({ name }) => html`<code>${name}</code> ${showQuoted(mends[name] ?? '')}`, 'Nothing was refused.')}
${showCounts('Proven by which secret', 'Secret', countNames(minutes, 'proven'), describeSecret, 'Nothing was delivered.')}
<p>A roll is safe to end once the old secret has proven nothing for longer than Stripe retries, three days: look at the last week.</p>
${showCounts('API versions', 'Version', countNames(minutes, 'versions'), ({ name }) => name, 'No snapshot event came.')}`
}

/** With what stands between backticks as code. */
const showQuoted = (text: string): Html =>
  html`${text.split('`').map((part, index) => (index % 2 === 0 ? part : html`<code>${part}</code>`))}`

/** As `account 1:…abcd`: the route, the place in its list, and the last four characters. */
function describeSecret({ name }: Count): Html {
  const [route = '', secret = ''] = name.split(' ')
  return html`<code>${route === 'connect' ? 'STRIPE_CONNECT_WEBHOOK_SECRET' : 'STRIPE_WEBHOOK_SECRET'}</code> ${secret}`
}

/** What the plot is drawn from; without JavaScript it is the plot. */
function showPoints(points: readonly Point[], title: string): Html {
  return html`<details class="figures"><summary>The figures</summary><table id="points"><caption>A minute on average, ${title}, in UTC</caption>
<thead><tr><th scope="col">From</th><th scope="col" class="number">accepted</th><th scope="col" class="number">handled</th><th scope="col"
 class="number">failed</th></tr></thead><tbody>${points.map(
   ({ at, accepted, handled, failed }) =>
     html`<tr><td data-at="${at.getTime() / 1_000}">${at.toISOString().slice(0, 16).replace('T', ' ')}</td>${[
       accepted,
       handled,
       failed,
     ].map((count) => html`<td class="number">${count}</td>`)}</tr>\n`,
 )}</tbody></table></details>`
}

function showCounts(
  heading: string,
  column: string,
  counts: readonly Count[],
  describe: (count: Count) => Value,
  none: string,
): Html {
  if (counts.length === 0) return html`<h2>${heading}</h2><p>${none}</p>`
  return html`<h2>${heading}</h2><table class="counted"><thead><tr><th scope="col" class="number">Deliveries</th><th scope="col">${column}</th><th
 scope="col" class="when">Last</th></tr></thead><tbody>${counts.map(
   (count) =>
     html`<tr><td class="number">${count.count.toLocaleString('en')}</td><td>${describe(count)}</td><td class="when">${showTime(count.lastAt)}</td></tr>\n`,
 )}</tbody></table>`
}
