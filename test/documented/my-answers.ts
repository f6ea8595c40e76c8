// handlers/my-answers.ts
import type { AnswerMap } from '../../src/event.ts'

export const answers = {
  'issuing_authorization.request': {
    withinMs: 1_500,
    otherwise: { approved: false },
    answer: (event, ctx) => {
      const { id, pending_request: asked } = event.data.object
      ctx.log.info({ objectId: id, amount: asked?.amount }, 'a card is about to pay')
      return { approved: (asked?.amount ?? 0) <= 5_000 }
    },
  },
} satisfies AnswerMap
