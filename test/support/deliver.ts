import { sign } from './sign.ts'

/** Posts a signed body and gives the status; rejects when there is no answer. */
export async function deliver(
  url: string,
  body: string,
  { secret, headers = {} }: { secret?: string; headers?: Record<string, string> } = {},
): Promise<number> {
  const signature = sign(body, secret === undefined ? {} : { secret })
  const response = await fetch(url, { method: 'POST', body, headers: { 'stripe-signature': signature, ...headers } })
  await response.arrayBuffer()
  return response.status
}
