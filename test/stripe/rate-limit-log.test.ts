import { expect, it } from 'vitest'
import { createRateLimitLog } from '../../src/stripe/rate-limit-log.ts'
import { captureLog } from '../support/log-lines.ts'

it('tells of the refusals of an operation once a minute, with how many there were', async () => {
  const { log, lines } = await captureLog()
  let now = 0
  const tell = createRateLimitLog(log, () => now)
  const refused = { operation: 'GET /v1/payouts/:id', reason: 'endpoint-rate', retryAfterSeconds: 1 }
  for (let refusal = 0; refusal < 100; refusal += 1) tell(refused)
  tell({ ...refused, operation: 'GET /v1/events', reason: null })
  now = 60_000
  tell(refused)
  expect(lines()).toMatchObject([
    { level: 40, msg: 'Stripe limits the rate of requests', ...refused, refusals: 1 },
    { operation: 'GET /v1/events', reason: null, refusals: 1 },
    { ...refused, refusals: 100 },
  ])
})

it('has a bound on the operations that it tells apart', async () => {
  const { log, lines } = await captureLog()
  const tell = createRateLimitLog(log, () => 0)
  const refuse = (operation: string) => tell({ operation, reason: null, retryAfterSeconds: null })
  for (let coupon = 0; coupon <= 1_000; coupon += 1) refuse(`GET /v1/coupons/${coupon}`)
  // The first was forgotten, and the last was not.
  refuse('GET /v1/coupons/0')
  refuse('GET /v1/coupons/1000')
  expect(lines()).toHaveLength(1_002)
})
