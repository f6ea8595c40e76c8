import { z } from 'zod'
import type { AuthorizationReply, CustomizeCheckoutReply, FinalizeCheckoutReply } from '../event.ts'

/** Bytes of a reply; those of Stripe's examples have some hundred. */
const MAX_BYTES = 65_536
/** For how long Stripe waits where its documentation does not tell: no request that is known waits for longer. */
const UNKNOWN_LIMIT_MS = 10_000

const metadata = z.record(z.string(), z.union([z.string(), z.number(), z.null()]))

/** Strict: with a misspelt `amount` all that is asked for would be approved. */
const authorization = z.strictObject({
  approved: z.boolean(),
  amount: z.int().positive().optional(),
  metadata: metadata.optional(),
}) satisfies z.ZodType<AuthorizationReply>

/** Loose, so that what Stripe adds can be used; what decides is checked. */
const finalizeCheckout = z.looseObject({
  manual_approval_details: z.discriminatedUnion('type', [
    z.looseObject({ type: z.literal('approved') }),
    z.looseObject({ type: z.literal('declined'), declined: z.looseObject({ reason: z.string() }) }),
  ]),
}) satisfies z.ZodType<FinalizeCheckoutReply>

const customizeCheckout = z.looseObject({
  shipping_options: z.array(z.unknown()).optional(),
  line_items: z.array(z.unknown()).optional(),
}) satisfies z.ZodType<CustomizeCheckoutReply>

/** What Stripe takes for an answer, and for how long it waits. */
interface Known {
  readonly reply: z.ZodType
  readonly limitMs: number
}

// docs.stripe.com/issuing/controls/real-time-authorizations, docs.stripe.com/agentic-commerce/for-sellers/hooks
const known = new Map<string, Known>([
  ['issuing_authorization.request', { reply: authorization, limitMs: 2_000 }],
  ['v1.delegated_checkout.finalize_checkout', { reply: finalizeCheckout, limitMs: 4_000 }],
  ['v1.delegated_checkout.customize_checkout', { reply: customizeCheckout, limitMs: 4_000 }],
])
const unknown: Known = { reply: z.looseObject({}), limitMs: UNKNOWN_LIMIT_MS }

/** Whether it is known what Stripe takes for an answer to it. */
export function isKnownRequest(type: string): boolean {
  return known.has(type)
}

/** For how long Stripe waits for the answer, in milliseconds. */
export function limitOf(type: string): number {
  return (known.get(type) ?? unknown).limitMs
}

/** The reply as JSON has it; throws an Error that says what is wrong with it when Stripe would not take it. */
export function checkReply(type: string, reply: unknown): unknown {
  const text: unknown = JSON.stringify(reply)
  if (typeof text !== 'string') throw new Error(`${typeof reply} is no answer`)
  if (Buffer.byteLength(text) > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`)
  const sent: unknown = JSON.parse(text)
  const { error } = (known.get(type) ?? unknown).reply.safeParse(sent)
  if (error === undefined) return sent
  const [issue] = error.issues
  throw new Error(`${issue?.path.join('.') || 'the answer'}: ${issue?.message}`)
}
