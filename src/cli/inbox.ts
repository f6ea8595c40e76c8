import { parseSettings, readEnvironment } from '../config.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { openInbox } from '../inbox/open-inbox.ts'

/**
 * Opens the inbox that DATABASE_URL names, beside a server that may be running, and closes it after use.
 * Throws ReceiverError `config_invalid`, or as openInbox does.
 */
export async function withInbox<T>(use: (inbox: Inbox) => Promise<T>): Promise<T> {
  const { databaseUrl } = parseSettings(readEnvironment(), ['databaseUrl'])
  const inbox = await openInbox(databaseUrl, 'command')
  try {
    return await use(inbox)
  } finally {
    await inbox.close()
  }
}
