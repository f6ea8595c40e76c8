import type { Inbox } from '../../inbox/inbox.ts'
import { SEARCHED } from '../../inbox/inbox.ts'
import { type Choice, readChoice, toCommand, toFields, toFilter } from '../../operations/filter.ts'
import { locate } from '../../operations/locate.ts'
import { showChanges } from '../changes.ts'
import type { Answer, Visit } from '../context.ts'
import { entryUrl, showEntries } from '../entries.ts'
import { showFilterForm } from '../filter-form.ts'
import { type Html, html } from '../html.ts'

const PAGE_SIZE = 50
const PATH = '/console/events'

/** Entries that match what the address says, newest first, a page at a time; or the one that was searched for. */
export async function showEvents({ context, query }: Visit): Promise<Answer> {
  const { inbox } = context
  const wanted = query.get('q')?.trim()
  if (wanted) {
    const meant = await locate(inbox, wanted)
    return { location: meant.id ? entryUrl(meant.id) : urlOf(meant) }
  }
  const { choice, faults } = readChoice(query)
  const before = query.get('before') ?? undefined
  if (faults.length > 0) {
    const body = html`<h1>Events</h1>${showFilterForm(PATH, query, faults, choice)}`
    return { title: 'Events', part: PATH, status: 400, body }
  }
  // The address is the filter, and as short as it can be, to be sent to others.
  if (urlOf(choice, before) !== urlOf(query)) return { location: urlOf(choice, before) }
  const [found, total] = await Promise.all([
    inbox.search(toFilter(choice), { limit: PAGE_SIZE, ...(before && { before }) }),
    count(inbox, choice),
  ])
  const { entries, olderThan } = found
  const last = entries.length === PAGE_SIZE ? entries.at(-1)?.eventId : undefined
  const body = html`<h1>Events</h1>
${showFilterForm(PATH, query, [], choice)}
${entries.length === 0 ? html`<p>No entry matches${olderThan !== null && ' among those that were looked at'}.</p>` : showEntries(entries, `${total}newest first`)}
<p class="pages">${choice.object && html`<a href="${urlOf({ value: choice.object })}">with it as a value</a> `}${before && html`<a href="${urlOf(choice)}">newest</a> `}${last && html`<a href="${urlOf(choice, last)}" rel="next">older</a>`}${
    olderThan && showOlder(choice, olderThan)
  }</p>
${!context.isReadOnly && entries.length > 0 && showChanges(choice, 'what matches')}
<h2>On the command line</h2><p><code id="command">${toCommand('list', choice)}</code> <button type="button" data-copy="command" hidden>Copy</button></p>`
  return { title: 'Events', part: PATH, body }
}

function urlOf(choice: Choice | URLSearchParams, before?: string): string {
  const fields = choice instanceof URLSearchParams ? choice : toFields(choice)
  if (before) fields.set('before', before)
  return fields.size === 0 ? PATH : `${PATH}?${fields}`
}

/** Only of states, which are counted anyway; nobody needs a large number to be exact. */
async function count(inbox: Inbox, choice: Choice): Promise<string> {
  const { states, ...others } = toFilter(choice)
  if (Object.keys(others).length > 0) return ''
  const counts = await inbox.counts()
  const total = Object.entries(counts).reduce(
    (sum, [state, n]) => ((states?.some((each) => each === state) ?? true) ? sum + n : sum),
    0,
  )
  return total > MOST_COUNTED ? `${format(MOST_COUNTED)}+, ` : `${format(total)}, `
}

const MOST_COUNTED = 10_000
const format = (number: number) => number.toLocaleString('en')

function showOlder(choice: Choice, olderThan: string): Html {
  return html`The newest ${format(SEARCHED)} entries were looked at. <a href="${urlOf(choice, olderThan)}" rel="next">Search older</a>`
}
