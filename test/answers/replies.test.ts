import { expect, it } from 'vitest'
import { checkReply } from '../../src/answers/replies.ts'

const CARD = 'issuing_authorization.request'
const ORDER = 'v1.delegated_checkout.finalize_checkout'
const approval = (manual_approval_details: object) => ({ manual_approval_details })

it.each([
  [CARD, { approved: true, amount: 100, metadata: { team: 'a' } }],
  [CARD, { approved: false }],
  [ORDER, approval({ type: 'approved' })],
  [ORDER, approval({ type: 'declined', declined: { reason: 'sold out' } })],
  ['v1.delegated_checkout.customize_checkout', { shipping_options: [], line_items: [{ tax_rates: [] }] }],
  ['some.other_request', { anything: [1] }],
])('takes for %s %j', (type, reply) => {
  expect(checkReply(type, reply)).toEqual(reply)
})

it('gives it as JSON has it', () => {
  const reply = { approved: true, amount: undefined, metadata: { a: '1' }, toString: () => '' }
  expect(checkReply(CARD, reply)).toEqual({ approved: true, metadata: { a: '1' } })
})

const cyclic: Record<string, unknown> = { approved: true }
cyclic.self = cyclic

it.each([
  [CARD, undefined, /undefined is no answer/],
  [CARD, true, /object/],
  [CARD, [], /object/],
  [CARD, { approved: 'true' }, /^approved: /],
  [CARD, { approve: true }, /^approved: /],
  [CARD, { approved: true, amount: 0 }, /^amount: /],
  [CARD, { approved: true, amonut: 5 }, /amonut/],
  [CARD, { approved: true, amount: 1.5 }, /^amount: /],
  [CARD, { approved: true, metadata: { a: {} } }, /^metadata\.a: /],
  [CARD, { approved: true, metadata: { a: 'x'.repeat(65_536) } }, /more than 65536 bytes/],
  [CARD, cyclic, /circular/],
  [CARD, { approved: true, amount: 1n }, /BigInt/],
  [ORDER, approval({ type: 'declined' }), /declined/],
  [ORDER, approval({ type: 'maybe' }), /^manual_approval_details\.type: /],
  ['some.other_request', 'yes', /object/],
])('refuses for %s what is none (%#)', (type, reply, message) => {
  expect(() => checkReply(type, reply)).toThrow(message)
})
