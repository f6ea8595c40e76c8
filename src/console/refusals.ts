/** What to do about deliveries that are refused, by the code that the log gives too. */
export const mends: Readonly<Record<string, string>> = {
  signature_mismatch:
    'wrong secret (each destination, mode and `stripe listen` has its own), or a proxy re-writes bodies',
  signature_missing: 'a proxy drops or changes the header, or it is not Stripe',
  signature_malformed: 'a proxy drops or changes the header, or it is not Stripe',
  timestamp_too_old: 'set the clock (NTP); too old may also be a proxy that queues, or a replayed request',
  timestamp_in_future: 'set the clock (NTP); too old may also be a proxy that queues, or a replayed request',
  secret_not_configured: 'set `STRIPE_CONNECT_WEBHOOK_SECRET`, or point the destination at `/webhook`',
  bad_payload: 'rightly signed, but no event: something else uses the secret',
  body_incomplete: 'the connection broke; Stripe delivers again',
}
