import { randomBytes } from 'node:crypto'
import { sign, snapshotJson, thinJson } from './sign.ts'

const random = () => randomBytes(16).toString('hex')

/** Secrets that stand nowhere else, for a server to start with. */
export const secrets = {
  account: `whsec_${random()}`,
  rolled: `whsec_${random()}`,
  connect: `whsec_${random()}`,
  apiKey: `sk_test_${random()}`,
  alertUrl: `http://127.0.0.1:9/services/${random()}`,
}

export const secretSettings = {
  STRIPE_WEBHOOK_SECRET: `${secrets.account},${secrets.rolled}`,
  STRIPE_CONNECT_WEBHOOK_SECRET: secrets.connect,
  STRIPE_API_KEY: secrets.apiKey,
  ALERT_URL: secrets.alertUrl,
}

/** Stands in every field of a body that no log line is meant to tell. */
export const marker = `marker${random()}`
const signatures: string[] = []

/** A signature header that must not be told either. */
export function signSecretly(body: string, options: Parameters<typeof sign>[1] = {}): string {
  const header = sign(body, { secret: secrets.account, ...options })
  signatures.push(header.split('v1=')[1] ?? '')
  return header
}

/** JSON of a snapshot event about a payment, with the marker in it. */
export function markedSnapshot(fields: Record<string, unknown> = {}): string {
  const object = {
    object: 'payment_intent',
    amount: 1,
    currency: 'usd',
    receipt_email: marker,
    metadata: { key: marker },
  }
  return snapshotJson({
    data: { object: { id: 'pi_1', ...object }, previous_attributes: { description: marker } },
    request: { id: marker, idempotency_key: marker },
    extra: marker,
    ...fields,
  })
}

/** JSON of a thin event about an object of the path, with the marker in it. */
export function markedThin(path: string): string {
  return thinJson({
    reason: { type: 'request', request: { id: marker } },
    changes: { after: marker },
    related_object: { id: 'pi_1', type: 'payment_intent', url: path },
  })
}

/** Names of the secrets, signatures and bodies of which a part stands in the text. */
export function findLeaks(text: string): string[] {
  const hidden = [...Object.entries({ ...secrets, marker }), ...signatures.entries()]
  return hidden.flatMap(([name, value]) => {
    const tail = value.slice(-32)
    const pieces = [tail.slice(0, 12), tail.slice(10, 22), tail.slice(20)]
    return pieces.some((piece) => text.includes(piece)) ? [String(name)] : []
  })
}
