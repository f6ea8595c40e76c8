import { env, type ForwardedEvent, type Targets } from '../../src/event.ts'

const shopOf = (event: ForwardedEvent) => event.data.object.metadata?.shop
const shared = { sign: 'stripe', shapes: ['snapshot'], mode: 'live' } as const

export const targets = {
  'shop-7': {
    ...shared,
    url: 'https://shop-7.internal/stripe',
    secrets: [env('SHOP_7_SECRET')],
    where: (event) => shopOf(event) === '7',
  },
  books: {
    ...shared,
    url: 'https://books.internal/stripe',
    secrets: [env('BOOKS_SECRET')],
    where: (event) => shopOf(event) === undefined,
  },
} satisfies Targets
