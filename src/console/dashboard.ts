import type { EntryFacts } from '../event.ts'

/** Places in Stripe's Dashboard by what ids begin with; for others there is its search. */
const places = new Map([
  ['pi', 'payments'],
  ['ch', 'payments'],
  ['py', 'payments'],
  ['cus', 'customers'],
  ['in', 'invoices'],
  ['sub', 'subscriptions'],
  ['po', 'payouts'],
  ['prod', 'products'],
  ['price', 'prices'],
  ['du', 'disputes'],
  ['dp', 'disputes'],
  ['seti', 'setup_intents'],
  ['evt', 'events'],
  ['acct', 'connect/accounts'],
])

type Where = Pick<EntryFacts, 'account' | 'livemode'>

/** Address in Stripe's Dashboard of what has that id, in the mode and the connected account of its event. */
export function dashboardUrl(id: string, { account, livemode }: Where): string {
  const scope = `${account === null ? '' : `${encode(account)}/`}${livemode === false ? 'test/' : ''}`
  const place = places.get(id.split('_', 1)[0] ?? '')
  const isPlain = /^\w+$/.test(id)
  return `https://dashboard.stripe.com/${scope}${place && isPlain ? `${place}/${id}` : `search?query=${encode(id)}`}`
}

// A lone surrogate cannot be encoded.
const encode = (text: string) => encodeURIComponent(text.toWellFormed())
