import { hostname } from 'node:os'
import type { Mode } from '../event/mode.ts'
import { formatDuration } from '../operations/duration.ts'
import { name } from './chat-text.ts'
import { type Kind, type Told, trial } from './news.ts'

const STALE_MS = 60_000

/** The JSON that is posted: `text` for chat systems, and the facts beside it. `agoMs`: how long ago the last of it was. */
export function composeMessage(kind: Kind, told: Told, mode: Mode, agoMs = 0): object {
  const host = hostname()
  const place = mode === 'any' ? name(host) : `${name(host)} (${mode})`
  const ago = agoMs < STALE_MS ? '' : ` (the last ${formatDuration(agoMs)} ago)`
  const { sentence, hint, facts } = told
  return { text: `${place}: ${sentence}${ago}\n→ ${hint}`, kind, host, mode, ...facts, hint }
}

/** Tells nothing but that messages arrive. */
export function composeTrial(mode: Mode): object {
  return composeMessage('trial', trial, mode)
}
