import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Config, type Environment, parseConfig } from '../../config.ts'
import type { Inbox } from '../../inbox/inbox.ts'
import { createLog } from '../../log.ts'
import { type Answer, sendDelivery } from '../../samples/send.ts'
import { createService, type Service } from '../../service.ts'
import { type DemoDelivery, planDemo } from './plan.ts'
import { printJson, printTable } from './report.ts'
import { checkDelivery, checkInbox, type DemoResult, type LogLine } from './results.ts'

const SETTLE_TIMEOUT_MS = 20_000
const POLL_MS = 20

/**
 * Runs the receiver in this process, delivers every type of sample to it and prints what became of each. False when something
 * ended otherwise than it should.
 */
export async function runDemo({ json }: { readonly json: boolean }): Promise<boolean> {
  const startedAt = performance.now()
  const folder = await createThrowAwayFolder()
  const { results, faults } = await deliverAll(createDemoConfig(folder))
  const print = json ? printJson : printTable
  print(results, faults, performance.now() - startedAt)
  return faults.length === 0 && results.every((result) => result.faults.length === 0)
}

/** Gone when the process ends, however it ends. */
export async function createThrowAwayFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'stripe-webhook-receiver-demo-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  // A signal alone would end the process without 'exit'.
  process.once('SIGINT', () => process.exit(130))
  process.once('SIGTERM', () => process.exit(143))
  return folder
}

/** Of a receiver in that folder, on free ports of this machine alone, with secrets of its own. */
export function createDemoConfig(folder: string, more: Environment = {}): Config {
  return parseConfig({
    ...more,
    STRIPE_WEBHOOK_SECRET: createSecret(),
    STRIPE_CONNECT_WEBHOOK_SECRET: createSecret(),
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_PORT: '0',
    DATABASE_URL: `file:${join(folder, 'inbox.db')}`,
  })
}

function createSecret(): string {
  return `whsec_${randomBytes(24).toString('hex')}`
}

async function deliverAll(config: Config): Promise<{ results: DemoResult[]; faults: string[] }> {
  const lines: LogLine[] = []
  // The cast holds: pino writes one JSON object with a `msg` a line.
  const log = await createLog('info', { write: (line) => void lines.push(JSON.parse(line) as LogLine) })
  const service = await createService(config, { log })
  try {
    const answers = await sendAll(service, config, planDemo(new Date()))
    const faults = await waitUntilSettled(service.inbox)
    const results = await Promise.all(
      answers.map(([delivery, answer]) => checkDelivery(service.inbox, lines, delivery, answer)),
    )
    return { results, faults: [...faults, ...(await checkInbox(service.inbox, results))] }
  } finally {
    await service.stop()
  }
}

/** One after the other, so that the duplicate comes after its original was answered. */
export async function sendAll(service: Service, config: Config, deliveries: readonly DemoDelivery[]) {
  const answers: [DemoDelivery, Answer][] = []
  for (const delivery of deliveries) {
    const isConnect = delivery.route === 'connect'
    const path = isConnect ? '/webhook/connect' : '/webhook'
    const [secret = ''] = isConnect ? config.connectWebhookSecrets : config.webhookSecrets
    const destination = {
      url: new URL(path, service.url),
      secret: delivery.kind === 'forged' ? createSecret() : secret,
    }
    answers.push([delivery, await sendDelivery(destination, delivery)])
  }
  return answers
}

async function waitUntilSettled(inbox: Inbox): Promise<string[]> {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS
  while (performance.now() < deadline) {
    const { pending, running } = await inbox.counts()
    if (pending + running === 0) return []
    await delay(POLL_MS)
  }
  return [`not settled within ${SETTLE_TIMEOUT_MS / 1_000} s`]
}
