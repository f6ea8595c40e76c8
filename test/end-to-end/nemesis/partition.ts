import { setTimeout as delay } from 'node:timers/promises'
import type { PostgresProxy, Rule } from '../../support/postgres-proxy.ts'
import type { Fault } from './fault.ts'

interface Way {
  readonly holds: (direction: Parameters<Rule>[0]) => boolean
  /** Whom a half-closed connection is ended for. */
  readonly finish?: Parameters<PostgresProxy['finish']>[0]
}

const ways: Readonly<Record<string, Way>> = {
  'both ways': { holds: () => true },
  'for its questions': { holds: (direction) => direction === 'question' },
  'for its answers': { holds: (direction) => direction === 'answer' },
  // Postgres takes it for gone, and it waits for answers that nobody gives.
  'half-closed towards Postgres': { holds: (direction) => direction === 'answer', finish: 'postgres' },
  'half-closed towards the process': { holds: () => false, finish: 'process' },
}

/** Lets nothing through between a process and Postgres for a while, or only one way. Then what was held arrives. */
export const partition: Fault = {
  name: 'partition',
  summary: 'nothing passes between a process and Postgres, or only one way, or connections are half closed',
  async postgres({ subject, random, lasting, cutOff }) {
    const [victim, name, ms] = [random.pick(subject.places), random.pick(Object.keys(ways)), lasting()]
    const { proxy } = victim
    const way = ways[name]
    const healed = Promise.withResolvers<'pass'>()
    await cutOff([victim], async () => {
      proxy.setRule((direction) => (way?.holds(direction) ? healed.promise : 'pass'))
      if (way?.finish) proxy.finish(way.finish)
      await delay(ms)
      proxy.setRule(undefined)
      // What is half gone by then is found out: the next packet is answered by a reset.
      if (way?.finish) proxy.cut()
      healed.resolve('pass')
    })
    return `parted ${victim.server()?.pid} from Postgres ${name} for ${ms} ms`
  },
}
