import { parseConfig, readEnvironment } from '../config.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { openInbox } from '../inbox/open-inbox.ts'

/** DATABASE_URL is all that a command needs, and the configuration as a whole demands a secret. */
const UNUSED_SECRET = 'whsec_notusedhere'

/**
 * Opens the inbox that DATABASE_URL names, beside a server that may be running, and closes it after use.
 * Throws ReceiverError `config_invalid`, or as openInbox does.
 */
export async function withInbox<T>(use: (inbox: Inbox) => Promise<T>): Promise<T> {
  const { DATABASE_URL } = readEnvironment()
  const { databaseUrl } = parseConfig({ STRIPE_WEBHOOK_SECRET: UNUSED_SECRET, DATABASE_URL })
  const inbox = await openInbox(databaseUrl, 'command')
  try {
    return await use(inbox)
  } finally {
    await inbox.close()
  }
}
