import { STANDARD_SECRET, STRIPE_SECRET } from '../../targets/load.ts'
import { withInbox } from '../inbox.ts'
import { sendNow } from '../send-now.ts'
import { toOneLine } from '../terminal/table.ts'
import type { SendOptions } from './options.ts'

const TIMEOUT_MS = 30_000

/** Sends one stored event, signed anew, and prints what came back. False when there is none, or the answer is no success. */
export async function runSend(eventId: string, { to: url, secret, sign }: SendOptions): Promise<boolean> {
  if (!(sign === 'stripe' ? STRIPE_SECRET : STANDARD_SECRET).test(secret)) {
    process.stderr.write(`error: expected --secret to be whsec_… as ${sign} has it\n`)
    return false
  }
  const detail = await withInbox((inbox) => inbox.get(eventId))
  if (detail === undefined || detail.body === null) {
    const why = detail === undefined ? 'no entry has the id' : 'retention dropped the body of'
    process.stderr.write(`error: ${why} ${toOneLine(eventId)}\n`)
    return false
  }
  const target = { url, secrets: [secret], sign, concurrency: 1, timeoutMs: TIMEOUT_MS, ca: undefined }
  return sendNow(target, { entry: detail.entry, body: detail.body })
}
