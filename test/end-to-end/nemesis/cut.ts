import { setTimeout as delay } from 'node:timers/promises'
import { isDone, type Rule } from '../../support/postgres-proxy.ts'
import type { Fault } from './fault.ts'

/** Share of what passes that is hit while it goes on. */
const HIT_SHARE = 0.3

/** Not by the seed: how much passes differs. */
const isHit = () => Math.random() < HIT_SHARE

/** Where a connection breaks: each leaves the process in another doubt about what Postgres did. */
const ways: Readonly<Record<string, Rule>> = {
  'in the question': (direction) => (direction === 'question' && isHit() ? 'halve' : 'pass'),
  'in the answer': (direction) => (direction === 'answer' && isHit() ? 'halve' : 'pass'),
  // Committed, and whoever asked is never told.
  'before the answer of a commit': (direction, bytes) =>
    direction === 'answer' && isDone(bytes) && isHit() ? 'cut' : 'pass',
}

/** Resets connections to Postgres again and again for a while. */
export const cut: Fault = {
  name: 'cut',
  summary: "resets connections to Postgres: mid-question, mid-answer, or with a commit's answer swallowed",
  async postgres({ subject, random, lasting, cutOff }) {
    const [victim, way, ms] = [random.pick(subject.places), random.pick(Object.keys(ways)), lasting()]
    await cutOff([victim], async () => {
      victim.proxy.setRule(ways[way])
      await delay(ms)
      victim.proxy.setRule(undefined)
    })
    return `cut the connections of ${victim.server()?.pid} ${way} for ${ms} ms`
  },
}
