import { changeEntries } from '../operations/change-entries.ts'
import { replay } from '../operations/changes.ts'
import { recordChange } from '../operations/record-change.ts'
import type { Answer, Visit } from './context.ts'
import { entryUrl } from './entries.ts'

/** Makes one entry due again, and goes back to its page, which tells what became of it. */
export async function replayEntry({ context: { inbox }, operator: who, query }: Visit): Promise<Answer> {
  const eventId = query.get('id') ?? ''
  const result = await changeEntries(inbox, replay, { eventIds: [eventId] })
  await recordChange(inbox, { who, from: 'console', verb: 'replay', eventIds: [eventId] }, result)
  return { location: entryUrl(eventId, { done: result.changed > 0 ? 'replayed' : 'left' }) }
}
