import { setTimeout as wait } from 'node:timers/promises'
import type { Fault } from './fault.ts'

const LONGEST_DELAY_MS = 300

/** Makes the way to Postgres a long one for a while. */
export const delay: Fault = {
  name: 'delay',
  summary: 'all that passes between a process and Postgres comes late',
  async postgres({ subject, random, lasting, cutOff }) {
    const [victim, mostMs, ms] = [random.pick(subject.places), Math.ceil(random() * LONGEST_DELAY_MS), lasting()]
    await cutOff([victim], async () => {
      victim.proxy.setRule(() => wait(Math.random() * mostMs, 'pass'))
      await wait(ms)
      victim.proxy.setRule(undefined)
    })
    return `delayed what passes between ${victim.server()?.pid} and Postgres by up to ${mostMs} ms for ${ms} ms`
  },
}
