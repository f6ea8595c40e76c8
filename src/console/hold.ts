import { formatDuration } from '../operations/duration.ts'
import { holdHandling, resumeHandling } from '../operations/hold.ts'
import type { Answer, Visit } from './context.ts'
import { type Html, html } from './html.ts'

/** Characters. */
export const MAX_REASON = 200

/** Lets no handler start any more, and goes to the overview, which says so. */
export async function hold({ context: { inbox }, operator, form }: Visit): Promise<Answer> {
  const reason = form.get('reason')?.trim().slice(0, MAX_REASON)
  await holdHandling(inbox, { who: operator, from: 'console' }, reason || null)
  return { location: '/console' }
}

/** Ends a hold. */
export async function resume({ context: { inbox }, operator }: Visit): Promise<Answer> {
  await resumeHandling(inbox, { who: operator, from: 'console' })
  return { location: '/console' }
}

/** Stands on every page while handling is held. */
export function showHold({ hold: held, context }: Visit): Html | undefined {
  if (held === null) return undefined
  return html`<div class="held" role="alert"><strong>Handling is held</strong> by ${held.who} for ${formatDuration(held.forMs)}${
    held.reason && html`: <span class="reason">${held.reason}</span>`
  }. Deliveries are stored. ${!context.isReadOnly && html`<form method="post" action="/console/resume"><button>Resume</button></form>`}</div>`
}
