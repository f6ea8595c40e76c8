import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { PermanentError } from '../../errors.ts'
import type { EventType, Handlers } from '../../event.ts'
import { handlerMap } from '../../handlers/built-in/map.ts'
import { createLog } from '../../log.ts'
import { createService } from '../../service.ts'
import { planDemo, planEvent } from './plan.ts'
import { createDemoConfig, createThrowAwayFolder, sendAll } from './run.ts'

const TRICKLE_MS = 700

/** Handlers of a business with a bad day, beside the built-in ones. */
const handlers: Handlers = {
  map: {
    ...handlerMap,
    'invoice.finalized': () => {
      throw new Error('the bookkeeping answered 502 Bad Gateway')
    },
    'checkout.session.completed': (event) => {
      throw new PermanentError(`no order belongs to the session\nsession ${event.data.object.id}`)
    },
    'customer.subscription.updated': () => {
      if (Math.random() < 0.3) throw new Error('time-out after 5 s: the licence server')
    },
  },
}
const trickle: readonly EventType[] = [
  'payment_intent.succeeded',
  'customer.subscription.updated',
  'payout.failed',
  'payment_intent.succeeded',
  'invoice.finalized',
  'v1.payment_intent.succeeded',
  'checkout.session.completed',
  'customer.created',
]

/** Runs the demo's receiver with its console, prints where that is, and goes on until a signal ends the process. */
export async function runDemoConsole(): Promise<void> {
  const folder = await createThrowAwayFolder()
  const password = randomBytes(12).toString('hex')
  const config = createDemoConfig(folder, { CONSOLE_PASSWORD: password })
  const service = await createService(config, { log: await createLog('silent'), handlers })
  await sendAll(service, config, planDemo(new Date()))
  process.stdout.write(
    `console   ${service.adminUrl}/console\nname      any, it is kept with what you do\npassword  ${password}\n\nCtrl-C ends it, and leaves nothing behind.\n`,
  )
  for (let count = 0; ; count += 1) {
    await sendAll(service, config, [
      planEvent(trickle[count % trickle.length] ?? 'payout.failed', 'account', new Date()),
    ])
    await delay(TRICKLE_MS)
  }
}
