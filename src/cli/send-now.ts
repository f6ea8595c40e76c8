import { readEnvironment } from '../config.ts'
import type { EntryFacts } from '../event.ts'
import type { LoadedTarget } from '../targets/load.ts'
import { createSender } from '../targets/send.ts'
import { composeHeaders } from '../targets/send-forward.ts'
import { formatTable, terminalWidth } from './terminal/table.ts'

/** Sends an event, signed now, and prints what came back. False when that is no success. */
export async function sendNow(
  target: Parameters<typeof createSender>[0] & Pick<LoadedTarget, 'sign' | 'secrets'>,
  { entry, body }: { readonly entry: Pick<EntryFacts, 'eventId' | 'type' | 'account'>; readonly body: Uint8Array },
): Promise<boolean> {
  const sender = createSender(target, readEnvironment())
  const lease = { entry: { ...entry, receivedAt: new Date() }, attempt: 1, hops: 1 }
  const startedAt = performance.now()
  const headers = composeHeaders(target, lease, body)
  const { status, answer, error } = await sender.send({ headers, body, signal: new AbortController().signal })
  sender.close()
  const took = `${Math.round(performance.now() - startedAt)} ms`
  const what = `${status ?? 'failed'} in ${took} ${entry.type} ${entry.eventId}`
  const lines = formatTable([{ cells: [what], text: error ?? answer ?? '' }], terminalWidth())
  process.stdout.write(`${lines.join('\n')}\n`)
  return status !== null && status >= 200 && status < 300
}
