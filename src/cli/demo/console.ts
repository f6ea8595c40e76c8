import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../config.ts'
import { PermanentError } from '../../errors.ts'
import type { EventType, Handlers } from '../../event.ts'
import { handlerMap } from '../../handlers/built-in/map.ts'
import { createLog } from '../../log.ts'
import { createService, type Service } from '../../service.ts'
import { planDemo, planEvent } from './plan.ts'
import { createDemoConfig, createThrowAwayFolder, sendAll } from './run.ts'
import { startServices } from './services.ts'

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

/** Connected accounts that events come from. */
export const accounts: readonly string[] = ['acct_1RosenCeramics', 'acct_1HarbourBooks', 'acct_1NorthBakery']

/** The demo's receiver with its console, after the first deliveries. Its inbox is gone when the process ends. */
export async function openDemoConsole(): Promise<{ service: Service; config: Config; password: string }> {
  const folder = await createThrowAwayFolder()
  const password = randomBytes(12).toString('hex')
  const config = createDemoConfig(folder, { CONSOLE_PASSWORD: password })
  const service = await createService(config, {
    log: await createLog('silent'),
    handlers,
    targets: await startServices(),
  })
  await sendAll(service, config, planDemo(new Date()))
  return { service, config, password }
}

/** Runs the demo's receiver with its console, prints where that is, and goes on until a signal ends the process. */
export async function runDemoConsole(): Promise<void> {
  const { service, config, password } = await openDemoConsole()
  process.stdout.write(
    `console   ${service.adminUrl}/console\nname      any, it is kept with what you do\npassword  ${password}\n\nCtrl-C ends it, and leaves nothing behind.\n`,
  )
  for (let count = 0; ; count += 1) {
    const type = trickle[count % trickle.length] ?? 'payout.failed'
    const route = count % 5 === 0 ? 'connect' : 'account'
    await sendAll(service, config, [planEvent(type, route, new Date(), accounts[count % accounts.length])])
    await delay(TRICKLE_MS)
  }
}
