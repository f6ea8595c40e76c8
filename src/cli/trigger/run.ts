import { randomBytes } from 'node:crypto'
import { styleText } from 'node:util'
import { type Environment, parseSettings, readEnvironment } from '../../config.ts'
import { ReceiverError } from '../../errors.ts'
import { isThinType } from '../../event/twin.ts'
import type { EventType } from '../../event.ts'
import { formatDuration } from '../../operations/duration.ts'
import { createSample } from '../../samples/event.ts'
import type { SampleObject } from '../../samples/object.ts'
import { type Answer, type Delivery, type Destination, readNames, sendDelivery } from '../../samples/send.ts'
import { toOneLine } from '../terminal/table.ts'
import type { TriggerOptions } from './options.ts'
import { applySettings } from './settings.ts'

const CONCURRENCY = 16

/**
 * Sends what was asked for and prints a line per delivery. False when one was not answered 2xx. Starts no more once one got
 * no answer.
 */
export async function runTrigger(type: EventType | undefined, options: TriggerOptions): Promise<boolean> {
  const destination = chooseDestination(readEnvironment(), options)
  let left = options.count
  let isFine = true
  let failure: string | undefined
  let isNotFound = false
  const sendWhileAny = async () => {
    while (failure === undefined && left-- > 0) {
      const deliveries = createDeliveries(type, options)
      for (const delivery of deliveries.flatMap((each) => (options.duplicate ? [each, each] : [each]))) {
        if (failure !== undefined) break
        const answer = await sendDelivery(destination, delivery)
        process.stdout.write(`${describeAnswer(answer)} ${delivery.type} ${delivery.eventId}${describeCode(answer)}\n`)
        if (!isAccepted(answer)) isFine = false
        if ('failure' in answer) failure ??= answer.failure
        else if (answer.status === 404) isNotFound = true
      }
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, sendWhileAny))
  if (failure !== undefined) process.stderr.write(`${describeFailure(destination.url, failure)}\n`)
  if (isNotFound) process.stderr.write(`${describeNotFound(destination.url)}\n`)
  return isFine
}

/** Where to, and signed with what: the first of the configured secrets. */
function chooseDestination(environment: Environment, options: TriggerOptions): Destination {
  const path = options.connect === undefined ? '/webhook' : '/webhook/connect'
  return {
    url: options.url ?? new URL(path, `http://127.0.0.1:${readPort(environment)}`),
    secret: options.badSignature ? `whsec_${randomBytes(16).toString('hex')}` : readSecret(environment, options),
    ageSeconds: options.age,
  }
}

function readPort(environment: Environment): number {
  const { port } = parseSettings(environment, ['port'])
  if (port > 0) return port
  throw new ReceiverError(
    'config_invalid',
    'PORT: expected the port the server listens on, such as 4242; or give --url',
  )
}

function readSecret(environment: Environment, { connect }: TriggerOptions): string {
  const [variable, setting] =
    connect === undefined
      ? (['STRIPE_WEBHOOK_SECRET', 'webhookSecrets'] as const)
      : (['STRIPE_CONNECT_WEBHOOK_SECRET', 'connectWebhookSecrets'] as const)
  const isSet = Boolean(environment[variable]?.trim())
  const [secret] = isSet ? parseSettings(environment, [setting])[setting] : []
  if (secret !== undefined) return secret
  const advice =
    'set it in .env to the secret that the server runs with (to try things out, any whsec_… of your own on both sides)'
  throw new ReceiverError('config_invalid', `${variable} is not set: ${advice}`)
}

/** A file, one event, or both of a change: what is set is then set in the snapshot event, and its twin follows. */
function createDeliveries(type: EventType | undefined, options: TriggerOptions): Delivery[] {
  const { payload, twins, set = [], connect, live } = options
  if (payload !== undefined) return [{ ...readNames(payload.toString()), body: new Uint8Array(payload) }]
  if (type === undefined) throw new TypeError('The command let neither a type nor a file through.')
  const isThinAlone = isThinType(type) && !twins
  const edit = (event: SampleObject) => applySettings(event, set)
  const sample = createSample({
    type,
    account: connect,
    livemode: live,
    now: new Date(),
    ...(isThinAlone ? {} : { edit }),
  })
  const thin = isThinAlone && sample.thin ? edit(sample.thin) : sample.thin
  const events = twins ? [sample.snapshot, thin] : [isThinAlone ? thin : sample.snapshot]
  const bodies = events.filter((event) => event !== undefined).map((event) => JSON.stringify(event, null, 2))
  return bodies.map((body) => ({ ...readNames(body, type), body }))
}

function isAccepted(answer: Answer): boolean {
  return 'status' in answer && answer.status >= 200 && answer.status < 300
}

function describeAnswer(answer: Answer): string {
  const text = 'status' in answer ? String(answer.status) : 'failed'
  return styleText(isAccepted(answer) ? 'green' : 'red', text)
}

/** The reply to a request, or the code of a refusal. */
function describeCode(answer: Answer): string {
  if ('reply' in answer && answer.reply !== undefined)
    return ` ${toOneLine(answer.reply.body)} after ${formatDuration(answer.reply.tookMs)}`
  const code = 'failure' in answer ? answer.failure : answer.code
  return code === undefined ? '' : ` ${code}`
}

function describeFailure(url: URL, failure: string): string {
  return `error: no answer from ${url} (${failure}). Start the server with \`npm start\`, or name another address with --url.`
}

function describeNotFound(url: URL): string {
  return `error: nothing takes deliveries at ${url}: a server with ROLE=work takes none, and --url needs the path.`
}
