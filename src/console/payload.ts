import { isUtf8 } from 'node:buffer'
import type { Response } from 'express'
import type { Visit } from './context.ts'
import { entryUrl } from './entries.ts'
import { type Html, html } from './html.ts'
import { indentJson } from './indent-json.ts'
import { refuse } from './refuse.ts'

/** More than this of a body is for the download. */
const MAX_SHOWN_BYTES = 256 * 1024

const forms = { pretty: 'indented', raw: 'as it came' } as const

/** An entry's body, or what to press to see it: with CONSOLE_PAYLOADS=hide it is shown on request, which is recorded. */
export async function showPayload(visit: Visit, eventId: string, body: Uint8Array | null): Promise<Html> {
  const heading = html`<h2 id="payload">Payload</h2>`
  if (body === null)
    return html`${heading}<p>Retention dropped it, and kept the facts: it cannot be replayed any more.</p>`
  const form = readForm(visit)
  const link = (to: keyof typeof forms) =>
    html`<a href="${entryUrl(eventId, { payload: to })}#payload" ${to === form && html`aria-current="true"`}>${forms[to]}</a>`
  const links = html`<p class="tabs">${link('pretty')} ${link('raw')}
<a href="/console/payload?${new URLSearchParams({ id: eventId }).toString()}">download, ${body.byteLength} bytes</a></p>`
  if (form === undefined)
    return html`${heading}<p>It is hidden (CONSOLE_PAYLOADS). Whoever looks at it is recorded.</p>${links}`
  await record(visit, eventId)
  return html`${heading}${links}${remarkOn(body)}<pre tabindex="0" role="region" aria-labelledby="payload">${readShown(body, form)}</pre>`
}

/** As it is to be shown; undefined when it is not. */
function readForm({ context, query }: Visit): keyof typeof forms | undefined {
  const asked = query.get('payload')
  return asked === 'pretty' || asked === 'raw' ? asked : context.payloads === 'show' ? 'pretty' : undefined
}

/** Whether what may repeat the payload is shown too. */
export const isPayloadAsked = (visit: Visit): boolean => readForm(visit) !== undefined

function remarkOn(body: Uint8Array): Html {
  const shown = MAX_SHOWN_BYTES / 1024
  return html`${body.byteLength > MAX_SHOWN_BYTES && html`<p class="remark">The first ${shown} KiB of it; the download has all.</p>`}${
    !isUtf8(body) &&
    html`<p class="remark">It is not all UTF-8: � stands for what is not, the download has the bytes.</p>`
  }`
}

function readShown(body: Uint8Array, form: keyof typeof forms): string {
  // As of a stream: a character that the cut parts is left out.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(body.subarray(0, MAX_SHOWN_BYTES), {
    stream: body.byteLength > MAX_SHOWN_BYTES,
  })
  return form === 'raw' ? text : indentJson(text)
}

/** Answers with the exact bytes that Stripe signed, as a file that no browser opens. */
export async function sendPayload(visit: Visit, res: Response): Promise<void> {
  const detail = await visit.context.inbox.get(visit.query.get('id') ?? '')
  if (detail === undefined || detail.body === null) return refuse(res, 404, 'There is no such body.')
  await record(visit, detail.entry.eventId)
  res.set(
    'Content-Disposition',
    `attachment; filename="${detail.entry.eventId.replace(/[^\w.-]/g, '_').slice(0, 100)}.json"`,
  )
  res.type('application/octet-stream').send(Buffer.from(detail.body))
}

/** Before it is shown: what cannot be recorded is not seen. */
async function record({ context: { inbox, payloads }, operator: who }: Visit, eventId: string): Promise<void> {
  if (payloads === 'hide')
    await inbox.recordAction('done', { who, from: 'console', verb: 'look at the payload', eventIds: [eventId] })
}
