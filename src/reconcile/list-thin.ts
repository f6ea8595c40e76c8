import type Stripe from 'stripe'

/** Which thin events to list. */
export interface ThinFilter {
  /** At most twenty. */
  readonly types: readonly string[]
  /** Created at this time or later. Stripe keeps events for 30 days. */
  readonly since: Date
  /** Created before this time; left out, up to now. */
  readonly until?: Date | undefined
}

/** The API's own bound. docs.stripe.com/api/v2/core/events/list */
const TYPES_A_REQUEST = 20

/**
 * Thin events of the client's account or context, newest first, whatever became of their deliveries: Stripe has no filter for that.
 * Rejects with the SDK's errors.
 */
export async function* listThin(
  client: Stripe,
  { types, since, until }: ThinFilter,
): AsyncGenerator<Stripe.V2.Core.Event, void> {
  // Without `created`: the first event that is too old ends it as well, whichever form of an instant Stripe takes there.
  for await (const event of client.v2.core.events.list({ types: [...types] })) {
    const created = Date.parse(event.created)
    if (created < since.getTime()) return
    if (until === undefined || created < until.getTime()) yield event
  }
}

/** Thin types as they are listed together: never those of both APIs, so that a refusal of the one's leaves the other's. */
export function groupThinTypes(types: readonly string[]): string[][] {
  const byApi = Map.groupBy(types, (type) => type.slice(0, type.indexOf('.')))
  return byApi
    .values()
    .flatMap((same) =>
      Array.from({ length: Math.ceil(same.length / TYPES_A_REQUEST) }, (_, index) =>
        same.slice(index * TYPES_A_REQUEST, (index + 1) * TYPES_A_REQUEST),
      ),
    )
    .toArray()
}
