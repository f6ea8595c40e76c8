import type { Inbox } from '../inbox/inbox.ts'
import type { Choice } from './filter.ts'

/** What someone means who looks for this: the event with that id, else what is about the object, else what has the value. */
export async function locate(inbox: Pick<Inbox, 'lookUp' | 'search'>, wanted: string): Promise<Choice> {
  const [found] = await inbox.lookUp([wanted])
  if (found !== undefined) return { id: wanted }
  const { entries } = await inbox.search({ objectId: wanted }, { limit: 1 })
  return entries.length > 0 ? { object: wanted } : { value: wanted }
}
