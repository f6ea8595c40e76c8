import { type Group, SEARCHED } from '../../inbox/inbox.ts'
import { type Choice, isEverything, readChoice, toFields, toFilter } from '../../operations/filter.ts'
import { showChanges } from '../changes.ts'
import type { Context, Page, Visit } from '../context.ts'
import { showState } from '../entries.ts'
import { type Html, html } from '../html.ts'
import { showCauses } from '../targets.ts'
import { showTime } from '../time.ts'

const MAX_GROUPS = 100
const MOST_COUNTED = 10_000
const PATH = '/console/failures'

/** What is dead or waits for a retry, by what it has in common: a cause mended mends a group. */
export async function showFailures({ context, query }: Visit): Promise<Page> {
  const { choice } = readChoice(query)
  const before = query.get('before') ?? undefined
  const filter = { ...toFilter(choice), isFailing: true } as const
  const { groups, entries, olderThan } = await context.inbox.summarize(filter, {
    limit: MAX_GROUPS,
    ...(before && { before }),
  })
  const shown = groups.reduce((sum, group) => sum + group.entries, 0)
  const fields = toFields(choice)
  if (olderThan !== null) fields.set('before', olderThan)
  const body = html`<h1>Failures</h1>
${groups.length === 0 ? html`<p>No event is dead, and none waits for a retry.</p>` : showGroups(groups, choice, context.isReadOnly)}
${shown < entries && html`<p>${entries - shown} more are in smaller groups.</p>`}
${olderThan && html`<p class="pages">The newest ${SEARCHED.toLocaleString('en')} entries were looked at. <a href="${PATH}?${fields.toString()}" rel="next">Search older</a></p>`}
${isEverything(choice) && !before && (await showForwards(context))}`
  return { title: 'Failures', part: PATH, body }
}

/** What of the targets failed, all of them together; nothing where nothing did. */
async function showForwards(context: Context): Promise<Html | undefined> {
  const counts = await context.inbox.forwards.counts()
  const targets = [...new Set(counts.map(({ target }) => target))]
  const found = await Promise.all(
    targets.map(async (target) => (await context.inbox.forwards.causes(target)).map((cause) => ({ ...cause, target }))),
  )
  const causes = found.flat().sort((one, other) => other.forwards - one.forwards)
  if (causes.length === 0) return undefined
  return html`<h2>Forwards</h2>${showCauses(context, causes, 'Dead, held, and sent again, by target and cause')}`
}

function showGroups(groups: readonly Group[], choice: Choice, isReadOnly: boolean): Html {
  return html`<table><caption>Dead, and waiting for a retry, by type and first line of the reason</caption>
<thead><tr><th scope="col" class="number">Events</th><th scope="col" class="status">State</th><th scope="col">Type and reason</th><th scope="col" class="wide when">First</th>
<th scope="col" class="when">Last</th></tr></thead>
<tbody>${groups.map((group) => showGroup(group, choice, isReadOnly))}</tbody></table>`
}

function showGroup(
  { state, type, reason, entries, oldestAt, newestAt }: Group,
  choice: Choice,
  isReadOnly: boolean,
): Html {
  const meant = { ...choice, state, type, ...(reason?.trim() && { reason: reason.trim() }) }
  const url = `/console/events?${toFields(meant)}`
  return html`<tr><td class="number">${entries > MOST_COUNTED ? '10,000+' : entries}</td><td>${showState(state)}</td>
<td class="main"><a data-row href="${url}">${type}</a><span class="reason">${reason}</span>${!isReadOnly && showChanges(meant, 'this group')}</td>
<td class="wide when">${showTime(oldestAt)}</td><td class="when">${showTime(newestAt)}</td></tr>
`
}
