import { changeEntries } from '../operations/change-entries.ts'
import { replay } from '../operations/changes.ts'
import type { Answer, Visit } from './context.ts'
import { entryUrl } from './entries.ts'

/** Makes one entry due again, and goes back to its page, which tells what became of it. */
export async function replayEntry({ context: { inbox }, operator: who, query }: Visit): Promise<Answer> {
  const eventId = query.get('id') ?? ''
  const { changed, leftAlone } = await changeEntries(inbox, replay, { eventIds: [eventId] })
  const facts = { who, from: 'console', verb: 'replay', eventIds: [eventId], entries: 1, changed } as const
  await inbox.recordAction('done', { ...facts, leftAlone: leftAlone.length })
  return { location: entryUrl(eventId, { done: changed > 0 ? 'replayed' : 'left' }) }
}
