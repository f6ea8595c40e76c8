import { parseEnvelope } from '../../event/envelope.ts'
import { isKnownType } from '../../event/known-types.ts'
import { buildSampleEvent } from '../../samples/event.ts'
import { sendNow } from '../send-now.ts'
import { findTarget } from './loaded.ts'

/** Sends a sample, and prints the answer. False when there is no such target or type, or the answer is no success. */
export async function runTest(name: string, type: string): Promise<boolean> {
  const target = await findTarget(name)
  if (target === undefined) return false
  if (!isKnownType(type)) {
    process.stderr.write('error: the SDK knows no such type; `npm run trigger -- --list` has all\n')
    return false
  }
  const body = buildSampleEvent({ type, now: new Date() })
  return sendNow(target, { entry: parseEnvelope(body), body: Buffer.from(body) })
}
