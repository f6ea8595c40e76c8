import { holdHandling, resumeHandling } from '../../operations/hold.ts'
import { withInbox } from '../inbox.ts'
import { findOperator } from './operator.ts'

/** Holds all handling, and says so. */
export async function runHold(reason: string | undefined): Promise<void> {
  await withInbox((inbox) => holdHandling(inbox, { who: findOperator(), from: 'command' }, reason ?? null))
  process.stdout.write('held: deliveries are stored, and no handler starts until `npm run events -- resume`\n')
}

/** Ends a hold, and says so. False when nothing was held. */
export async function runResume(): Promise<boolean> {
  const isResumed = await withInbox((inbox) => resumeHandling(inbox, { who: findOperator(), from: 'command' }))
  if (isResumed) process.stdout.write('resumed: what waited is being handled\n')
  else process.stderr.write('error: nothing is held\n')
  return isResumed
}
