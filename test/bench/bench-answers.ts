import { setTimeout as delay } from 'node:timers/promises'
import type { AnswerMap } from '../../src/event.ts'

export const WITHIN_MS = 1_000
/** As a look into a database takes. */
const LOOK_MS = 5
const HANGS_EVERY = 10

let asked = 0

/** Approves after a while; every tenth hangs. */
export const answers = {
  'issuing_authorization.request': {
    withinMs: WITHIN_MS,
    otherwise: { approved: false },
    async answer() {
      asked += 1
      if (asked % HANGS_EVERY === 0) await new Promise(() => {})
      await delay(LOOK_MS)
      return { approved: true }
    },
  },
} satisfies AnswerMap
