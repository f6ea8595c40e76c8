import type { ActionFacts } from '../inbox/actions.ts'
import type { Inbox } from '../inbox/inbox.ts'

type Actor = Pick<ActionFacts, 'who' | 'from'>

/** From now on no handler starts, in any process, until somebody resumes; deliveries are stored. Safe to repeat, with another reason. */
export async function holdHandling(inbox: Inbox, actor: Actor, reason: string | null): Promise<void> {
  await inbox.hold({ who: actor.who, reason })
  await inbox.recordAction('done', { ...actor, verb: 'hold', ...(reason !== null && { reason }) })
}

/** Ends a hold. False, and nothing changed, when there is none. */
export async function resumeHandling(inbox: Inbox, actor: Actor): Promise<boolean> {
  if ((await inbox.held()) === null) return false
  await inbox.resume()
  await inbox.recordAction('done', { ...actor, verb: 'resume' })
  return true
}
