import type { ActionFacts } from '../inbox/actions.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { ChangeResult } from './change-entries.ts'

/** Ids beyond it are counted. */
const MAX_IDS = 20

/** Records a change that is done: who made it, of which entries, and how many. */
export async function recordChange(
  inbox: Pick<Inbox, 'recordAction'>,
  meant: Pick<ActionFacts, 'who' | 'from' | 'verb' | 'filter' | 'eventIds'>,
  { changed, leftAlone }: ChangeResult,
): Promise<void> {
  const { eventIds, ...rest } = meant
  const named = eventIds && { eventIds: eventIds.slice(0, MAX_IDS), entries: eventIds.length }
  await inbox.recordAction('done', { ...rest, ...named, changed, leftAlone: leftAlone.length })
}
