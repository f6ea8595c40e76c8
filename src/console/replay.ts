import { changeEntries } from '../operations/change-entries.ts'
import { replay } from '../operations/changes.ts'
import type { Answer, Visit } from './context.ts'
import { entryUrl } from './entries.ts'

/** Makes one entry due again, and goes back to its page, which tells what became of it. */
export async function replayEntry({ context: { inbox, log }, operator, query }: Visit): Promise<Answer> {
  const eventId = query.get('id') ?? ''
  const { changed } = await changeEntries(inbox, replay, { eventIds: [eventId] })
  if (changed > 0) log.info({ operator, eventId }, 'replayed from the console')
  return { location: entryUrl(eventId, { done: changed > 0 ? 'replayed' : 'left' }) }
}
