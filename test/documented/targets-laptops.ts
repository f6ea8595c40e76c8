import { env, type Targets } from '../../src/event.ts'

export const targets = {
  ann: { url: 'https://ann.dev.example.com/stripe', secrets: [env('ANN_SECRET')], sign: 'stripe', mode: 'test' },
  bob: { url: 'https://bob.dev.example.com/stripe', secrets: [env('BOB_SECRET')], sign: 'stripe', mode: 'test' },
} satisfies Targets
