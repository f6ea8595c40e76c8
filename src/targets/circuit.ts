import type { TargetState } from '../inbox/forwards.ts'

/** How a target does of which nothing is known. */
export const UNTRIED: TargetState = { hold: null, failures: 0, failingSince: null, open: null, pausedUntil: null }

/** What was learned of a target. Instants are milliseconds since the epoch. */
export type Learned =
  | { readonly kind: 'success' }
  /** `at` is when the attempt began. */
  | { readonly kind: 'failure'; readonly at: number }
  | { readonly kind: 'pause'; readonly forMs: number }
  | { readonly kind: 'hold'; readonly who: string; readonly reason: string }
  | { readonly kind: 'resume' }
  /** An attempt begins while the circuit is open: nobody else makes one until it had its time. */
  | { readonly kind: 'probe'; readonly forMs: number }

const OPENS_AFTER_FAILURES = 10
const OPENS_AFTER_MS = 30_000
const FIRST_PROBE_MS = 30_000
const LONGEST_PROBE_MS = 300_000
const LONGEST_PAUSE_MS = 6 * 3_600_000
const HELD_AFTER_MS = 5 * 86_400_000

/** The server itself, as the one who holds a target. */
export const HELD_BY_SERVER = 'the server'

/**
 * What is known of a target once more was learned; the same object when that changes nothing. The circuit opens after 10 failures in a
 * row over 30 s or more, asks again after 30 s, 60 s … 5 min, and closes on a success; so many over five days hold the target. A
 * pause lasts until the latest instant that was asked for.
 */
export function learn(state: TargetState, learned: Learned, now: number): TargetState {
  switch (learned.kind) {
    case 'success': {
      // What was under way when it asked to be left alone may still succeed.
      const pausedUntil = endOfPause(state, now)
      if (state.failures === 0 && state.open === null && state.pausedUntil === pausedUntil) return state
      return { ...state, failures: 0, failingSince: null, open: null, pausedUntil }
    }
    case 'failure':
      return holdWhenHopeless(fail(state, learned.at, now), now)
    case 'pause': {
      const pausedUntil = Math.max(endOfPause(state, now) ?? 0, now + Math.min(learned.forMs, LONGEST_PAUSE_MS))
      return pausedUntil === state.pausedUntil ? state : { ...state, pausedUntil }
    }
    case 'hold':
      return state.hold === null ? { ...state, hold: { who: learned.who, reason: learned.reason, at: now } } : state
    case 'resume':
      return UNTRIED
    case 'probe':
      return state.open === null ? state : { ...state, open: { ...state.open, probeAt: now + learned.forMs } }
  }
}

function fail(state: TargetState, at: number, now: number): TargetState {
  const failures = state.failures + 1
  const failingSince = Math.min(state.failingSince ?? now, now)
  const { open } = state
  if (open === null) {
    const opens = failures >= OPENS_AFTER_FAILURES && now - failingSince >= OPENS_AFTER_MS
    const opened = opens ? { since: now, probeAt: now + FIRST_PROBE_MS, probes: 0 } : null
    return { ...state, failures, failingSince, open: opened }
  }
  // What had begun before the circuit opened tells nothing new.
  if (at < open.since) return { ...state, failures, failingSince }
  const probes = open.probes + 1
  const probeAt = now + Math.min(FIRST_PROBE_MS * 2 ** probes, LONGEST_PROBE_MS)
  return { ...state, failures, failingSince, open: { ...open, probeAt, probes } }
}

function holdWhenHopeless(state: TargetState, now: number): TargetState {
  const { hold, failures, failingSince } = state
  const isHopeless = failures >= OPENS_AFTER_FAILURES && failingSince !== null && now - failingSince >= HELD_AFTER_MS
  if (hold !== null || !isHopeless) return state
  return { ...state, hold: { who: HELD_BY_SERVER, reason: 'five days without a success', at: now } }
}

/** Of a pause that is not over, else null. Later than any wait is by a clock that has been set back since. */
function endOfPause({ pausedUntil }: TargetState, now: number): number | null {
  return pausedUntil !== null && pausedUntil > now && pausedUntil <= now + LONGEST_PAUSE_MS ? pausedUntil : null
}

/** Whether something may be sent: as much as fits, one attempt to see whether it is back, or nothing. */
export function judge(state: TargetState, now: number): 'all' | 'probe' | 'none' {
  const { hold, open } = state
  if (hold !== null || endOfPause(state, now) !== null) return 'none'
  if (open === null) return 'all'
  return open.probeAt > now && open.probeAt <= now + LONGEST_PROBE_MS ? 'none' : 'probe'
}
