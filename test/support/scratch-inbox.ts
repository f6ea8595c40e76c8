import { join } from 'node:path'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { makeScratch } from './scratch.ts'

/** A real store in a folder of its own. */
export async function openScratchInbox(): Promise<{ inbox: Inbox; remove: () => Promise<void> }> {
  const scratch = await makeScratch()
  const inbox = await openSqliteInbox(join(scratch.path, 'inbox.db'), 'server')
  return {
    inbox,
    async remove() {
      await inbox.close()
      await scratch.remove()
    },
  }
}
