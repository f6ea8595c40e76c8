import { toFilter } from '../../operations/filter.ts'
import { locate } from '../../operations/locate.ts'
import { withInbox } from '../inbox.ts'
import { printEntries } from './list.ts'
import type { ListOptions } from './options.ts'

/** Prints the entries that someone means by an event's id, an object's or a value. False when there is none. */
export async function runFind(wanted: string, options: ListOptions): Promise<boolean> {
  const found = await withInbox(async (inbox) =>
    inbox.list(toFilter(await locate(inbox, wanted)), { limit: options.limit + 1 }),
  )
  if (found.length > 0) printEntries(found, options)
  else process.stderr.write('error: no entry has it as its id, its object or a value of SEARCH_FIELDS\n')
  return found.length > 0
}
