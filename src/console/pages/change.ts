import { type Inbox, SEARCHED, type Summary } from '../../inbox/inbox.ts'
import { type Choice, toCommand, toFields, toOptions } from '../../operations/filter.ts'
import { previewChange, type ServedVerb } from '../../operations/run-changes.ts'
import { formatCount } from '../actions.ts'
import { CHANGE_PATH, changeUrl, MAX_PER_SECOND, readAsked, titles } from '../changes.ts'
import type { Page, Visit } from '../context.ts'
import { entryUrl, showState } from '../entries.ts'
import { type Html, html } from '../html.ts'
import { showTime } from '../time.ts'

const effects = {
  replay: 'They become due now, and their handlers run anew. What runs meanwhile is left alone.',
  drop: 'They are settled as handled without a handler; retention takes them in its turn.',
} as const satisfies Record<ServedVerb, string>

/** What a change of all that match would take now, with the form that confirms it. */
export async function showPreview({ context: { inbox, isReadOnly }, query }: Visit): Promise<Page> {
  const asked = readAsked(query)
  if ('status' in asked) return asked
  const { verb, choice } = asked
  const before = query.get('before') ?? undefined
  const preview = await previewChange(inbox, verb, choice, before)
  const { entries, groups, olderThan } = preview
  const title = titles[verb]
  const body = html`<h1>${title} what matches</h1>
<p>${showChosen(choice)}</p>
${
  olderThan &&
  html`<p class="notice">Only the newest ${formatCount(SEARCHED)} entries${before && ' before that'} were looked at: what is older is not
 counted here, and not changed. <a href="${changeUrl(verb, choice, olderThan)}">Look at older ones instead</a></p>`
}
${
  entries === 0
    ? html`<p>Nothing that can be ${verb === 'drop' ? 'dropped' : 'replayed'} matches${olderThan && ' among these'}.</p>`
    : html`${await showBounds(inbox, preview)}
${showGroups(preview)}
${groups.reduce((sum, group) => sum + group.entries, 0) < entries && html`<p>More are in smaller groups.</p>`}
${groups.some(({ state }) => state === 'handled') && html`<p class="notice">What was handled runs again.</p>`}
<p>${effects[verb]} What comes from now on is not among them.</p>
${!isReadOnly && showConfirmation(verb, choice, preview)}`
}
<h2>On the command line</h2><p><code>${toCommand(verb, choice)} --dry-run</code></p>`
  return { title: `${title} what matches`, part: '/console/events', body }
}

const showChosen = (choice: Choice): Html =>
  html`Chosen: <a class="id" href="/console/events?${toFields(choice).toString()}">${toOptions(choice)}</a>`

async function showBounds(inbox: Inbox, { entries, oldest, newest }: Summary): Promise<Html> {
  const [first, last] = await Promise.all([oldest, newest].map((id) => inbox.get(id ?? '')))
  const told = [
    { name: 'oldest', entry: first?.entry },
    { name: 'newest', entry: last?.entry },
  ]
  return html`<p><strong>${formatCount(entries)} ${entries === 1 ? 'entry' : 'entries'}</strong>${told.map(
    ({ name, entry }) =>
      entry &&
      html`, the ${name} <a class="id" href="${entryUrl(entry.eventId)}">${entry.eventId}</a> ${showTime(entry.receivedAt)}`,
  )}</p>`
}

/** By state and type, whatever the reasons. */
function showGroups({ groups }: Summary): Html {
  const kinds = [...Map.groupBy(groups, ({ state, type }) => `${state} ${type}`).values()]
  return html`<table><caption>By state and type</caption><thead><tr><th scope="col" class="number">Entries</th><th scope="col" class="status">State</th>
<th scope="col">Type</th></tr></thead><tbody>${kinds.map(([kind, ...others]) => kind && html`<tr><td class="number">${formatCount(others.reduce((sum, { entries }) => sum + entries, kind.entries))}</td><td>${showState(kind.state)}</td><td>${kind.type}</td></tr>\n`)}</tbody></table>`
}

/** Carries what was shown, so that it is what runs. */
function showConfirmation(verb: ServedVerb, choice: Choice, { entries, newest, oldest }: Summary): Html {
  const shown = [
    ['verb', verb],
    ...toFields(choice),
    ['entries', String(entries)],
    ['newest', newest ?? ''],
    ['oldest', oldest ?? ''],
  ]
  return html`<form method="post" action="${CHANGE_PATH}">${shown.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<p><label>At most <input name="perSecond" type="number" min="1" max="${MAX_PER_SECOND}"> a second; empty: as fast as deliveries allow</label></p>
<p><button class="act" data-key="r">${titles[verb]} ${formatCount(entries)} ${entries === 1 ? 'entry' : 'entries'}</button>
 <a href="/console/events?${toFields(choice).toString()}">Leave them</a></p></form>`
}
