import { readEnvironment } from '../config.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { openInbox } from '../inbox/open-inbox.ts'
import { parsePart } from './parse-part.ts'

/**
 * Opens the inbox that DATABASE_URL names, beside a server that may be running, and closes it after use.
 * Throws ReceiverError `config_invalid`, or as openInbox does.
 */
export async function withInbox<T>(use: (inbox: Inbox) => Promise<T>): Promise<T> {
  const { DATABASE_URL } = readEnvironment()
  const { databaseUrl } = parsePart({ DATABASE_URL })
  const inbox = await openInbox(databaseUrl, 'command')
  try {
    return await use(inbox)
  } finally {
    await inbox.close()
  }
}
