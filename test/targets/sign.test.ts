import { Webhook } from 'standardwebhooks'
import Stripe from 'stripe'
import { describe, expect, it } from 'vitest'
import { signBody } from '../../src/targets/sign.ts'
import { snapshotJson } from '../support/sign.ts'

const body = snapshotJson()
const bytes = Buffer.from(body)
const [one, other] = ['whsec_target_secret_1', 'whsec_target_secret_2'] as const
const signed = (secrets: readonly string[], at = new Date()) =>
  signBody({ sign: 'stripe', secrets }, { eventId: 'evt_1', body: bytes, at })

describe('as Stripe', () => {
  it('signs so that its SDK takes the body, for either secret while one is rolled', () => {
    const { 'Stripe-Signature': header = '' } = signed([one, other])
    for (const secret of [one, other]) {
      expect(Stripe.webhooks.constructEvent(bytes, header, secret)).toMatchObject({ object: 'event' })
    }
    expect(() => Stripe.webhooks.constructEvent(bytes, header, 'whsec_a_third')).toThrow(/No signatures found/)
    expect(() => Stripe.webhooks.constructEvent(`${body} `, header, one)).toThrow(/No signatures found/)
  })

  it('signs the time of the attempt', () => {
    const { 'Stripe-Signature': header = '' } = signed([one], new Date(Date.now() - 301_000))
    expect(() => Stripe.webhooks.constructEvent(bytes, header, one)).toThrow(/tolerance zone/)
  })
})

describe('as Standard Webhooks', () => {
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
  const rolled = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

  it('signs the vector of its library as that does', () => {
    // standard-webhooks/libraries/javascript/src/index.test.ts, "sign function works"
    const vector = { eventId: 'msg_p5jXN8AQM9LWM0D4loKWxJek', body: Buffer.from('{"test": 2432232314}') }
    const headers = signBody({ sign: 'standard', secrets: [secret] }, { ...vector, at: new Date(1_614_265_330_000) })
    expect(headers).toEqual({
      'webhook-id': vector.eventId,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })

  it('signs so that its library takes the body, for either secret while one is rolled', () => {
    const headers = signBody(
      { sign: 'standard', secrets: [secret, rolled] },
      { eventId: 'evt_1', body: bytes, at: new Date() },
    )
    for (const each of [secret, rolled]) {
      expect(new Webhook(each).verify(bytes, headers)).toEqual(JSON.parse(body))
    }
    expect(() => new Webhook(`whsec_${Buffer.alloc(24).toString('base64')}`).verify(bytes, headers)).toThrow()
  })
})
