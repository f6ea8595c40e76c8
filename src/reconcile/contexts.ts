import { CONTEXT_NOTE, type Inbox } from '../inbox/inbox.ts'

type ContextInbox = Pick<Inbox, 'list' | 'get' | 'readNote' | 'writeNote'>

/** The account that is acted for through the context. docs.stripe.com/context */
export function accountIn(context: string): string {
  return context.slice(context.lastIndexOf('/') + 1)
}

/** The context (`acct_a/acct_b`) that was noted for the account; the account itself when none was. */
export async function readContext(inbox: Pick<Inbox, 'readNote'>, account: string): Promise<string> {
  return (await inbox.readNote(CONTEXT_NOTE + account)) ?? account
}

/** The same, or else the one that the account's newest event names, which is noted: bodies go before accounts do. */
export async function findContext(inbox: ContextInbox, account: string): Promise<string> {
  const noted = await inbox.readNote(CONTEXT_NOTE + account)
  if (noted !== null) return noted
  const [newest] = await inbox.list({ account }, { limit: 1 })
  const detail = newest && (await inbox.get(newest.eventId))
  const context = detail?.body ? contextIn(detail.body, account) : undefined
  if (context !== undefined) await inbox.writeNote(CONTEXT_NOTE + account, context)
  return context ?? account
}

function contextIn(body: Uint8Array, account: string): string | undefined {
  // A body is stored only once it was parsed as an event.
  const event: { readonly context?: unknown } = JSON.parse(Buffer.from(body).toString())
  const { context } = event
  return typeof context === 'string' && accountIn(context) === account ? context : undefined
}
