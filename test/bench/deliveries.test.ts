import Stripe from 'stripe'
import { expect, it } from 'vitest'
import { parseEnvelope } from '../../src/event/envelope.ts'
import { CUSTOMERS, createDeliveries, idOf, SECRET } from './deliveries.ts'

const COUNT = 200

function parseRequest(request: Uint8Array) {
  const [head = '', body = ''] = Buffer.from(request).toString().split('\r\n\r\n')
  const headers = new Map(
    head.split('\r\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)]),
  )
  return { headers, body }
}

it('makes 3 KB payment_intent.succeeded deliveries that the SDK proves', () => {
  const deliveries = createDeliveries(COUNT)
  for (let index = 0; index < COUNT; index += 1) {
    const { headers, body } = parseRequest(deliveries.request(index))
    const event = Stripe.webhooks.constructEvent(body, headers.get('Stripe-Signature') ?? '', SECRET)
    expect(event.type).toBe('payment_intent.succeeded')
    expect(event.id).toBe(`evt_${idOf(index)}`)
    expect(Buffer.byteLength(body)).toBe(3_072)
    expect(headers.get('Content-Length')).toBe('3072')
    expect(Buffer.from(deliveries.body(index)).toString()).toBe(body)
  }
})

it('goes on with the ids from a number, and never repeats one', () => {
  const first = createDeliveries(COUNT)
  const second = createDeliveries(COUNT, COUNT)
  const idIn = (body: Uint8Array) => JSON.parse(Buffer.from(body).toString()).id
  const ids = [first, second].flatMap(({ body }) => Array.from({ length: COUNT }, (_, index) => idIn(body(index))))
  expect(new Set(ids).size).toBe(2 * COUNT)
  expect(ids.every((id) => /^evt_\w{24}$/.test(id))).toBe(true)
})

it('spreads the payments over ten thousand customers, whichever comes first', () => {
  const count = CUSTOMERS / 5
  const { body } = createDeliveries(count, 500)
  const customers = Array.from({ length: count }, (_, index) => {
    const [customer] = parseEnvelope(Buffer.from(body(index)).toString(), ['data.object.customer']).values
    return customer
  })
  const known = new Set(Array.from({ length: CUSTOMERS }, (_, number) => `cus_${idOf(number)}`))
  expect(customers.filter((customer) => !known.has(String(customer)))).toEqual([])
  expect(new Set(customers).size).toBeGreaterThan(0.8 * count)
})

it('has no two ids alike in a long run', () => {
  const ids = new Set(Array.from({ length: 300_000 }, (_, number) => idOf(number)))
  expect(ids.size).toBe(300_000)
})
