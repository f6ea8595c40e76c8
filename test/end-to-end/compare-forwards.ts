import type { ForwardDetail } from '../../src/inbox/forwards.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import type { Delivery } from '../support/load.ts'
import type { TargetServer } from '../support/target-server.ts'

export interface Comparison {
  /** Events, each answered 200 in the end. */
  readonly events: number
  /** Requests that targets answered. */
  readonly forwarded: number
  /** Of these, those that brought what the target had got before. */
  readonly repeated: number
  /** Attempts without a recorded end. */
  readonly lost: number
  /** Every promise that was broken, in words. */
  readonly problems: readonly string[]
}

/** By name; `seven` takes what is for it alone. */
export type Targets = Readonly<Record<'all' | 'seven' | 'away', TargetServer>>

/** By an id as the rounds make it. */
const targetsOf = ({ eventId }: Delivery) =>
  eventId.startsWith('evt_shop7') ? (['all', 'away', 'seven'] as const) : (['all', 'away'] as const)

/** Compares what targets got with what was answered 200 and what is on record, once all is settled. */
export async function compareForwards(
  inbox: Inbox,
  targets: Targets,
  deliveries: readonly Delivery[],
): Promise<Comparison> {
  const problems: string[] = []
  const known = new Set(deliveries.map(({ eventId }) => eventId))
  const got = Object.fromEntries(
    Object.entries(targets).map(([name, { received }]) => [name, Map.groupBy(received, ({ eventId }) => eventId)]),
  )
  let lost = 0
  for (const delivery of deliveries) {
    const { eventId, body } = delivery
    const forwards = (await inbox.get(eventId))?.forwards ?? []
    const names = forwards.map(({ target }) => target)
    if (names.join() !== targetsOf(delivery).join())
      problems.push(`${eventId} goes to ${names.join(' and ') || 'nobody'}`)
    for (const forward of forwards) {
      lost += forward.history.filter(({ outcome }) => outcome === 'lost').length
      const requests = got[forward.target]?.get(eventId) ?? []
      const attempts = requests.map(({ headers }) => Number(headers['stripe-receiver-attempt']))
      const fault = findFault(attempts, forward)
      if (fault !== undefined) problems.push(`${eventId} to ${forward.target}: ${fault}`)
      if (requests.some((request) => request.body.toString() !== body)) problems.push(`${eventId}: another body`)
    }
  }
  const requests = Object.values(targets).flatMap(({ received }) => received)
  for (const { eventId } of requests) if (!known.has(eventId)) problems.push(`${eventId} was sent by nobody`)
  const first = Object.values(got).reduce((sum, { size }) => sum + size, 0)
  const { length: forwarded } = requests
  return { events: deliveries.length, forwarded, repeated: forwarded - first, lost, problems }
}

/** What is wrong with the attempts that a target saw, beside those on record; undefined when nothing is. */
function findFault(seen: readonly number[], { state, history }: ForwardDetail): string | undefined {
  const told = `seen ${seen.join()}, on record ${history.map(({ number, outcome }) => `${number} ${outcome}`).join()}`
  if (state !== 'delivered' || history.at(-1)?.outcome !== 'delivered') return `not delivered: ${told}`
  if (!seen.includes(history.at(-1)?.number ?? 0)) return `delivered, and never seen: ${told}`
  if (new Set(seen).size < seen.length) return `one attempt made twice: ${told}`
  /** Its process was killed, or its answer did not come in time. */
  const isExcused = (attempt: number) => {
    const recorded = history.find(({ number }) => number === attempt)
    return recorded?.outcome === 'lost' || (recorded?.outcome === 'retried' && recorded.status === null)
  }
  const repeats = seen.filter((attempt) => attempt !== Math.max(...seen))
  return repeats.every(isExcused) ? undefined : `repeated without need: ${told}`
}
