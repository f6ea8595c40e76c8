import Stripe from 'stripe'
import { PermanentError } from '../../src/errors.ts'
import type { AnyEvent, Fallback } from '../../src/event.ts'
import { handlerMap } from '../../src/handlers/built-in/map.ts'

const {
  STRIPE_WEBHOOK_SECRET: secrets,
  STRIPE_CONNECT_WEBHOOK_SECRET: connectSecret,
  STRIPE_API_KEY: key,
} = process.env
const authorization = `Bearer ${key}`

/** A signature header as the SDK's error carries it, with the event's own body. */
function refusedBySdk(event: AnyEvent): unknown {
  const payload = JSON.stringify(event)
  const header = Stripe.webhooks.generateTestHeaderString({ payload, secret: 'whsec_of_someone_else' })
  try {
    return Stripe.webhooks.constructEvent(payload, header, String(secrets))
  } catch (error) {
    return error
  }
}

/** What careless handlers throw, by what the event's type starts with. */
export const carelessness: Record<string, (event: AnyEvent) => unknown> = {
  secret: () => new Error(`cannot prove it with ${secrets} nor ${connectSecret}`),
  sdk: refusedBySdk,
  header: (event) => new Error(`bad header ${Object(refusedBySdk(event)).header}`),
  raw: (event) => {
    const request = { headers: { authorization }, body: event }
    return Object.assign(new Error('Request failed'), {
      raw: event,
      request,
      config: request,
      payload: event,
      key,
      secrets,
    })
  },
  text: () => `no access with ${key}`,
  object: (event) => ({ key, event }),
  named: () => Object.assign(new Error('odd'), { name: `KeyError ${key}`, code: connectSecret }),
  caused: (event) => new Error('outer', { cause: Object.assign(new Error(`inner ${key}`), { event }) }),
  several: (event) => Object.assign(new AggregateError([new Error(`one ${key}`)], 'some'), { event }),
  json: () => new Error(JSON.stringify({ headers: { authorization }, nested: JSON.stringify({ key, secrets }) })),
  long: () => new Error(`${'x'.repeat(1_990)}${key}`),
  permanent: () => new PermanentError(`give up on ${secrets} with ${key}`),
}

/** Throws, in many ways, what must not be told; the event's type chooses. `slow` waits for its end, any other type is logged under `err`. */
export const fallback: Fallback = async (event, ctx) => {
  const kind = event.type.split('.')[0] ?? ''
  if (kind === 'slow') {
    ctx.log.info('slow handler started')
    await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(`cut off: ${key}`)))
  }
  const thrown = carelessness[kind]?.(event)
  if (thrown === undefined) return ctx.log.warn({ err: refusedBySdk(event) }, 'logged by a handler')
  ctx.log.error({ err: thrown }, 'about to throw')
  throw thrown
}

/** Those of thin events fetch what they are about, with a key that Stripe refuses. */
export const handlers = handlerMap
