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

/** Resumes the target, and says so. False when there is none, or nothing keeps it. */
export async function runResume(name: string): Promise<boolean> {
  if ((await findTarget(name)) === undefined) return false
  const isResumed = await withInbox((inbox) => resumeTarget(inbox, actor(), name))
  if (isResumed) process.stdout.write(`resumed: what waited for ${name} is being sent\n`)
  else process.stderr.write(`error: ${name} is neither held nor paused, and its circuit is closed\n`)
  return isResumed
}
