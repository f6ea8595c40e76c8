import { Agent } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { post } from '../../support/load.ts'
import type { Ledger } from './ledger.ts'
import type { Place } from './place.ts'

export interface Senders {
  /** How many deliveries a place has answered 200. */
  acknowledgedAt(place: Place): number
  /** Resolves once each has its answer, or none. */
  stop(): Promise<void>
}

export interface SendersOptions {
  readonly places: readonly Place[]
  readonly ledger: Ledger
  /** What deliveries may be answered beside 200 and 503. */
  readonly refusal: number | undefined
}

/** An answer that takes longer after all was well again never comes. */
const ANSWERS_WITHIN_MS = 60_000
/** To each place. */
const CONNECTIONS = 8
/** What a sender waits after an answer, and after none or a refusal: so few that a round can be looked through. */
const LONGEST_PAUSE_MS = 50
const REFUSED_PAUSE_MS = 50

/** Posts what the ledger has to send, to whatever runs at these places, until it is stopped. */
export function startSenders({ places, ledger, refusal }: SendersOptions): Senders {
  const acknowledged = new Map<Place, number>()
  const allowed = [undefined, 200, 503, refusal]
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  let isOver = false

  /** Gives whether it was taken. */
  async function send(place: Place): Promise<boolean> {
    const url = place.server()?.url
    if (url === undefined) return false
    const delivery = ledger.next()
    const posted = post(url, delivery, { agent, aheadMs: place.clockOffsetMs() })
    const status = await posted.then(
      (answer) => answer.status,
      () => undefined,
    )
    ledger.onAnswer(delivery, status)
    if (!allowed.includes(status)) ledger.addProblem(`${delivery.eventId} was answered ${status}`)
    if (status === 200) acknowledged.set(place, (acknowledged.get(place) ?? 0) + 1)
    return status === 200
  }

  async function drive(place: Place): Promise<void> {
    while (!isOver) {
      const isTaken = await send(place)
      await delay(isTaken ? Math.random() * LONGEST_PAUSE_MS : REFUSED_PAUSE_MS)
    }
  }

  const driving = places.flatMap((place) => Array.from({ length: CONNECTIONS }, () => drive(place)))
  return {
    acknowledgedAt: (place) => acknowledged.get(place) ?? 0,
    async stop() {
      isOver = true
      const patience = setTimeout(() => agent.destroy(), ANSWERS_WITHIN_MS)
      await Promise.all(driving)
      clearTimeout(patience)
      agent.destroy()
    },
  }
}
