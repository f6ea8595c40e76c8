import { env, type Targets } from '../../src/event.ts'

export const targets = {
  shop: {
    url: 'https://shop.internal/stripe',
    secrets: [env('SHOP_SECRET')],
    sign: 'stripe',
    types: ['payment_intent.*', 'charge.dispute.*'],
    shapes: ['snapshot'],
    mode: 'live',
    where: (event) => event.data.object.metadata?.shop === '7',
    concurrency: 8,
    perSecond: 50,
  },
} satisfies Targets
