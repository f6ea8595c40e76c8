import { composeTrial } from '../../alerts/message.ts'
import { createSend } from '../../alerts/send.ts'
import { parseSettings, readEnvironment } from '../../config.ts'
import type { Finding } from '../../destinations/finding.ts'
import { ReceiverError } from '../../errors.ts'

/** Sends a trial where the server sends alerts, and tells what came back. Throws ReceiverError `config_invalid` without ALERT_URL. */
export async function tryAlert(): Promise<Finding> {
  const { alertUrl, mode } = parseSettings(readEnvironment(), ['alertUrl', 'mode'])
  if (alertUrl === undefined) {
    const message =
      'ALERT_URL is not set: set it in .env to the URL that alerts are to be posted to, such as that of a chat webhook.'
    throw new ReceiverError('config_invalid', message)
  }
  const { isSent, answer } = await createSend(alertUrl)(composeTrial(mode))
  const told = `the trial to ${alertUrl.host} (ALERT_URL): ${answer}`
  if (isSent) return { severity: 'ok', check: 'alert', message: told }
  return { severity: 'fault', check: 'alert', message: told, mend: mendFor(answer) }
}

function mendFor(answer: string): string {
  if (/^status 3/.test(answer)) return 'set ALERT_URL to where that leads: redirects are not followed'
  if (answer.startsWith('status'))
    return 'look at the webhook there: it may be gone, or want another form than JSON with `text`'
  return 'check the host in ALERT_URL, and that this machine may reach it'
}
