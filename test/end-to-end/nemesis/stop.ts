import { setTimeout as delay } from 'node:timers/promises'
import type { Context, Fault } from './fault.ts'
import { LEASE_MS, type Place } from './place.ts'
import type { PostgresSubject, Subject } from './subject.ts'

async function pause(place: Place, ms: number): Promise<string> {
  const server = place.server()
  server?.kill('SIGSTOP')
  await delay(ms)
  server?.kill('SIGCONT')
  return `stopped ${server?.pid} for ${ms} ms`
}

function plan({ subject, random, lasting }: Context<Subject>) {
  return { victim: random.pick(subject.places), ms: lasting(LEASE_MS + 100) }
}

/** Stops a process for longer than its leases: on Postgres others take over what it had, on SQLite nobody may. */
export const stop: Fault = {
  name: 'stop',
  summary: 'SIGSTOP for longer than a lease, then SIGCONT',
  async sqlite(context) {
    const { victim, ms } = plan(context)
    return pause(victim, ms)
  },
  async postgres(context: Context<PostgresSubject>) {
    const { victim, ms } = plan(context)
    return context.cutOff([victim], () => pause(victim, ms))
  },
  // A request that was under way for longer than Node allows, by its clock.
  refusal: 408,
}
