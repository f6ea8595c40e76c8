import { formatDuration } from '../operations/duration.ts'
import { type Html, html } from './html.ts'

/** How long ago it was, or in how long it will be, with the instant on hover. */
export function showTime(at: Date, now = Date.now()): Html {
  const ageMs = now - at.getTime()
  const relative = ageMs < 0 ? `in ${formatDuration(-ageMs)}` : `${formatDuration(ageMs)} ago`
  return html`<time datetime="${at.toISOString()}" title="${showInstant(at)}">${relative}</time>`
}

/** `2026-11-21 10:00:00.123 UTC`. */
export const showInstant = (at: Date): string => at.toISOString().replace('T', ' ').replace('Z', ' UTC')
