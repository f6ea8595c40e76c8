import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { AnswerMap } from '../../src/event.ts'

/** What is asked of the function, in the request's metadata. */
export type Ask =
  | 'approve'
  | 'approve after a while'
  | 'hang'
  | 'throw'
  | 'answer rubbish'
  | 'throw in a listener'
  | 'fail beside it'

/** Answers as it is asked, and writes the id of each request that it was run for to RECORD_FILE. */
export const answers = {
  'issuing_authorization.request': {
    withinMs: 1_000,
    otherwise: { approved: false, metadata: { by: 'otherwise' } },
    async answer(event, { signal }) {
      appendFileSync(process.env.RECORD_FILE ?? '', `${event.id}\n`)
      const { ask, after } = event.data.object.metadata
      if (ask === 'throw') throw new Error('the ledger is away')
      if (ask === 'fail beside it') void Promise.reject(new Error('nobody awaits this'))
      if (ask === 'answer rubbish') return JSON.parse('{"approve":true}')
      if (ask === 'throw in a listener')
        signal.addEventListener('abort', () => {
          throw new Error('of a listener')
        })
      if (ask === 'hang' || ask === 'throw in a listener') await new Promise(() => {})
      if (ask === 'approve after a while') await delay(Number(after))
      return { approved: true, metadata: { by: process.env.SIGNED_BY ?? 'the function' } }
    },
  },
  'v1.delegated_checkout.finalize_checkout': {
    withinMs: 1_000,
    otherwise: { manual_approval_details: { type: 'declined', declined: { reason: 'not now' } } },
    answer: (request) => ({ manual_approval_details: { type: 'approved' }, order: request.data.order }),
  },
} satisfies AnswerMap
