import {
  type ForwardGroup,
  type ForwardVerb,
  leftStates,
  replayForward,
  requestForwardChange,
} from '../operations/change-forwards.ts'
import { holdTarget, resumeTarget } from '../operations/hold-target.ts'
import { actionUrl } from './actions.ts'
import { refuseChange } from './changes.ts'
import type { Answer, Visit } from './context.ts'
import { entryUrl } from './entries.ts'
import { MAX_REASON } from './hold.ts'
import { html } from './html.ts'
import { isNamed, targetUrl } from './targets.ts'

const list = html`<a href="/console/targets">Targets</a>`
const refuseTarget = () => refuseChange('TARGETS names no such target.', list)

/** Has nothing sent to the target any more, and goes to its page, which says so. */
export async function holdNamed({ context, operator: who, query, form }: Visit): Promise<Answer> {
  const name = query.get('name') ?? ''
  if (!isNamed(context, name)) return refuseTarget()
  const reason = form.get('reason')?.trim().slice(0, MAX_REASON)
  await holdTarget(context.inbox, { who, from: 'console' }, name, reason || 'held by hand')
  return { location: targetUrl(name) }
}

/** Has the target tried anew. */
export async function resumeNamed({ context, operator: who, query }: Visit): Promise<Answer> {
  const name = query.get('name') ?? ''
  if (!isNamed(context, name)) return refuseTarget()
  await resumeTarget(context.inbox, { who, from: 'console' }, name)
  return { location: targetUrl(name) }
}

/** Sends one event to one target anew, and goes back to the event's page, which tells what became of it. */
export async function replayOneForward({ context, operator: who, query }: Visit): Promise<Answer> {
  const [eventId, target] = [query.get('id') ?? '', query.get('target') ?? '']
  if (!isNamed(context, target)) return refuseTarget()
  const isDone = await replayForward(context.inbox, { who, from: 'console' }, target, eventId)
  return { location: entryUrl(eventId, { done: isDone ? 'forwarded' : 'not-forwarded' }) }
}

/** Has a server send all forwards that failed alike anew, and goes to where its progress is shown. */
export function replayCause(visit: Visit): Promise<Answer> {
  const isPossible = isNamed(visit.context, visit.query.get('target') ?? '')
  return isPossible ? changeCause('replay target', visit) : Promise.resolve(refuseTarget())
}

/** The same, to give them up: also of a target that TARGETS names no more. */
export const dropCause = (visit: Visit): Promise<Answer> => changeCause('drop target', visit)

async function changeCause(verb: ForwardVerb, { context, operator: who, query }: Visit): Promise<Answer> {
  const [target, reason] = [query.get('target') ?? '', query.get('reason') ?? '']
  const state = leftStates.find((each) => each === query.get('state'))
  if (state === undefined) return refuseChange('What is dead or held can be replayed or dropped.', list)
  const group: ForwardGroup = { target, state, reason }
  const id = await requestForwardChange(context.inbox, verb, { who, from: 'console' }, group)
  return id === undefined ? refuseChange('Nothing of it is there any more.', list) : { location: actionUrl(id) }
}
