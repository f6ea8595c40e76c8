import type { Attempt, Entry } from '../../event.ts'
import type { EntryDetail, Inbox } from '../../inbox/inbox.ts'
import { describeDecision } from '../../operations/describe-decision.ts'
import { formatDuration } from '../../operations/duration.ts'
import { quote } from '../../operations/filter.ts'
import type { Page, Visit } from '../context.ts'
import { dashboardUrl } from '../dashboard.ts'
import { entryUrl, showEntries, showState } from '../entries.ts'
import { showForwards } from '../forwards.ts'
import { type Html, html, type Value } from '../html.ts'
import { isPayloadAsked, showPayload } from '../payload.ts'
import { showTime } from '../time.ts'

const LANE_LIMIT = 50

/** One event: its facts, attempts, twin, lane and payload, and its replay. */
export async function showEntry(visit: Visit): Promise<Page> {
  const { inbox } = visit.context
  const eventId = visit.query.get('id') ?? ''
  const [detail, lane] = await Promise.all([inbox.get(eventId), inbox.lane(eventId, LANE_LIMIT)])
  if (detail === undefined) {
    const body = html`<h1>No entry has this id</h1><p><code>${eventId}</code></p>
<p>It never came, or retention has dropped it. <code>npm run reconcile</code> asks Stripe for what it could not deliver.</p>`
    return { title: 'Unknown event', part: '/console/events', status: 404, body }
  }
  const { entry, attempts, body, decision } = detail
  const [twin, payload] = await Promise.all([findTwin(inbox, entry, lane), showPayload(visit, eventId, body)])
  return {
    title: `${entry.type} ${eventId}`,
    part: '/console/events',
    body: html`<h1>${entry.type} ${showState(entry.state)}</h1>
${showDone(visit.query.get('done'))}
<p class="id"><span id="event-id">${eventId}</span> <button type="button" data-copy="event-id" hidden>Copy</button></p>
${!visit.context.isReadOnly && showReplay(detail)}
${showFacts(entry, twin)}
${decision && html`<p>Replied: <code>${describeDecision(decision)}</code></p>`}
<h2>Attempts</h2>${showAttempts(attempts)}
${showForwards(visit.context, detail, isPayloadAsked(visit))}
<h2>Its lane</h2>
${showLane(lane, entry)}
${payload}
<h2>On the command line</h2><p><code>npm run events -- show ${quote(eventId)}</code></p>`,
  }
}

function showDone(done: string | null): Html | undefined {
  if (done === 'replayed') return html`<p class="notice" role="status">Replayed: it is due now.</p>`
  if (done === 'forwarded') return html`<p class="notice" role="status">Replayed: it is sent to the target now.</p>`
  if (done === 'not-forwarded')
    return html`<p class="notice bad" role="status">Left alone: it is being sent, or waits already, or its body is gone.</p>`
  if (done === 'left')
    return html`<p class="notice bad" role="status">Left alone: what is running, without its body, or was answered in its delivery, cannot be replayed.</p>`
  return undefined
}

function showReplay({ entry: { eventId, state }, body, decision }: EntryDetail): Html | undefined {
  if (state === 'running' || body === null || decision !== null) return undefined
  const form = html`<form method="post" action="/console/replay?${new URLSearchParams({ id: eventId }).toString()}"><button
 class="act" ${state !== 'handled' && html`data-key="r"`}>Replay</button></form>`
  if (state !== 'handled') return form
  return html`<details class="act"><summary data-key="r">Replay…</summary><p>It was handled: its handler would run again.</p>${form}</details>`
}

/** The event that tells of the same change in the other shape, when Stripe names it and it is here. */
async function findTwin(inbox: Inbox, entry: Entry, lane: readonly Entry[]): Promise<Entry | undefined> {
  if (entry.snapshotEventId !== null) return (await inbox.get(entry.snapshotEventId))?.entry
  return lane.find(({ snapshotEventId }) => snapshotEventId === entry.eventId)
}

function showFacts(entry: Entry, twin: Entry | undefined): Html {
  const { account, objectId, createdAt, dueAt, snapshotEventId } = entry
  const eventsOf = (word: string, id: string) =>
    html` <a href="/console/events?${new URLSearchParams({ [word]: id }).toString()}">events</a>`
  const named = snapshotEventId !== null && html`${snapshotEventId}, which is not here`
  const facts: readonly (readonly [string, Value])[] = [
    ['reason', entry.reason && html`<span class="reason">${entry.reason}</span>`],
    ['next attempt', entry.state === 'pending' && html`number ${entry.attempts + 1}, ${showTime(dueAt)}`],
    [
      'object',
      objectId && html`<span class="id">${objectId}</span> ${toStripe(objectId, entry)}${eventsOf('object', objectId)}`,
    ],
    [
      'account',
      account &&
        html`<span class="id">${account}</span> ${toStripe(account, { ...entry, account: null })}${eventsOf('account', account)}`,
    ],
    ['event at Stripe', toStripe(entry.eventId, entry)],
    ['received', html`${showTime(entry.receivedAt)}${createdAt && html`, made by Stripe ${showTime(createdAt)}`}`],
    ['settled', entry.settledAt && showTime(entry.settledAt)],
    ['twin', twin ? html`<a href="${entryUrl(twin.eventId)}">${twin.type}</a> ${showState(twin.state)}` : named],
    ['shape', html`${entry.shape}${entry.apiVersion && html`, API version ${entry.apiVersion}`}`],
    ['mode', entry.livemode === null ? null : entry.livemode ? 'live' : 'test'],
    [
      'came by',
      entry.source === 'reconcile'
        ? 'reconcile: Stripe could not deliver it'
        : html`delivery to ${routes[entry.route]}, proven by secret ${entry.secret}`,
    ],
    ['replays', entry.replays > 0 && entry.replays],
  ]
  return html`<dl class="facts">${facts.map(([name, value]) => value && html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>`
}

const routes = { account: '/webhook', connect: '/webhook/connect' } as const

function toStripe(id: string, entry: Entry): Html {
  return html`<a class="stripe" href="${dashboardUrl(id, entry)}" rel="noreferrer">in Stripe</a>`
}

function showAttempts(attempts: readonly Attempt[]): Html {
  if (attempts.length === 0) return html`<p>None yet.</p>`
  return html`<table><caption>Attempts, oldest first</caption><thead><tr><th scope="col" class="wide number">Replay</th><th scope="col" class="number">Attempt</th>
<th scope="col" class="when">Started</th><th scope="col" class="wide number">Took</th><th scope="col" class="status">Outcome</th><th scope="col">Error</th></tr></thead>
<tbody>${attempts.map(
    ({
      replay,
      number,
      startedAt,
      endedAt,
      outcome,
      error,
    }) => html`<tr><td class="wide number">${replay}</td><td class="number">${number}</td>
<td class="when">${showTime(startedAt)}</td><td class="wide number">${formatDuration(endedAt.getTime() - startedAt.getTime())}</td>
<td>${outcome}</td><td class="error">${error}</td></tr>\n`,
  )}</tbody></table>`
}

function showLane(lane: readonly Entry[], { eventId, lane: name }: Entry): Html {
  const told = html`Events of <code>${name}</code> never run at the same time.`
  if (lane.length < 2) return html`<p>${told} There is no other.</p>`
  const cut = lane.length >= LANE_LIMIT && html` These are the newest ${LANE_LIMIT}.`
  return html`<p>${told}${cut}</p>${showEntries(lane, 'In order of arrival', eventId)}`
}
