import { holdTarget, resumeTarget } from '../../operations/hold-target.ts'
import { findOperator } from '../events/operator.ts'
import { withInbox } from '../inbox.ts'
import { findTarget } from './loaded.ts'

const actor = () => ({ who: findOperator(), from: 'command' }) as const

/** Holds the target, and says so. False when there is none, or it is held. */
export async function runHold(name: string, reason: string): Promise<boolean> {
  if ((await findTarget(name)) === undefined) return false
  const isHeld = await withInbox((inbox) => holdTarget(inbox, actor(), name, reason))
  if (isHeld) process.stdout.write(`held: nothing is sent to ${name} until \`npm run targets -- resume ${name}\`\n`)
  else process.stderr.write(`error: ${name} is held already\n`)
  return isHeld
}

/** Resumes the target, and says so. False when there is none, or nothing keeps it, nor what is for it. */
export async function runResume(name: string): Promise<boolean> {
  if ((await findTarget(name)) === undefined) return false
  const { isResumed, hastened } = await withInbox((inbox) => resumeTarget(inbox, actor(), name))
  const events = `${hastened} ${hastened === 1 ? 'event' : 'events'}`
  if (isResumed) process.stdout.write(`resumed: what waited for ${name} is being sent\n`)
  else if (hastened > 0) process.stdout.write(`sending ${events} to ${name} that waited for a retry\n`)
  else
    process.stderr.write(
      `error: ${name} is neither held nor paused, its circuit is closed, and nothing waits for a retry\n`,
    )
  return isResumed || hastened > 0
}
