import { setTimeout as delay } from 'node:timers/promises'
import type { ActionFacts } from '../inbox/actions.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { type Learned, learn, UNTRIED } from '../targets/circuit.ts'
import { hastenAll } from '../targets/hasten-all.ts'

type Actor = Pick<ActionFacts, 'who' | 'from'>

const TRIES = 20
const TRY_AGAIN_MS = 25

/** From now on nothing is sent to the target; what is for it waits. False when it is held already. */
export async function holdTarget(inbox: Inbox, actor: Actor, target: string, reason: string): Promise<boolean> {
  if (!(await change(inbox, target, { kind: 'hold', who: actor.who, reason }))) return false
  await inbox.recordAction('done', { ...actor, verb: 'hold target', filter: `target=${target}`, reason })
  return true
}

/** What a resume found. */
export interface Resumed {
  /** The target was held or paused, or its circuit was open. */
  readonly isResumed: boolean
  /** So many forwards waited for a retry. */
  readonly hastened: number
}

/** Ends a hold, a pause and an open circuit, and makes what waits for a retry due now: the target is tried anew. */
export async function resumeTarget(inbox: Inbox, actor: Actor, target: string): Promise<Resumed> {
  const hastened = await hastenAll(inbox, target)
  const isResumed = await change(inbox, target, { kind: 'resume' })
  if (isResumed || hastened > 0)
    await inbox.recordAction('done', { ...actor, verb: 'resume target', filter: `target=${target}` })
  return { isResumed, hastened }
}

/** A server that learns something of it at the same time is faster now and then. */
async function change(inbox: Inbox, target: string, learned: Learned): Promise<boolean> {
  for (let tries = 1; ; tries += 1) {
    const found = (await inbox.forwards.states()).find((each) => each.target === target)
    const state = found?.state ?? UNTRIED
    const isNothing =
      learned.kind === 'resume' && state.hold === null && state.open === null && state.pausedUntil === null
    const next = learn(state, learned, Date.now())
    if (isNothing || next === state) return false
    if (await inbox.forwards.writeState(target, next, found?.version ?? 0)) return true
    if (tries === TRIES) throw new Error(`the state of ${target} changes all the time; try again`)
    await delay(TRY_AGAIN_MS)
  }
}
