import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { previewTypes } from '../../src/event/known-types.ts'
import { isThinType } from '../../src/event/twin.ts'
import type { EventType } from '../../src/event.ts'
import { handlerMap } from '../../src/handlers/built-in/map.ts'
import { buildSampleEvent, createSample } from '../../src/samples/event.ts'
import { eventually } from '../support/eventually.ts'
import { snapshotJson } from '../support/sign.ts'
import { listOf } from '../support/stripe-api-double.ts'
import { findStripeCli, printSecret, startListening } from '../support/stripe-cli.ts'
import { startOutside } from '../support/stripe-cli-outside.ts'
import { createStripeCliRig, type StripeCliRig } from '../support/stripe-cli-rig.ts'

const RECEIVED = '{"received":true}'
/** What the handler of a paid payout counts. */
const COUNTED = '/v1/balance_transactions'

let rig: StripeCliRig
beforeEach(async () => {
  rig = await createStripeCliRig()
  rig.api.route('GET', COUNTED, () => listOf([]))
})
afterEach(async () => {
  const codes = await rig.close()
  expect(rig.outside.asked).toEqual([])
  expect([...rig.stripe.problems, ...rig.api.problems]).toEqual([])
  expect(codes).toEqual(codes.map(() => 0))
})

const entries = () => rig.withInbox((inbox) => inbox.list({}, { limit: 1_000 }))
const handled = (count: number) =>
  rig.withInbox((inbox) =>
    eventually(`${count} entries to be handled`, async () => (await inbox.counts()).handled === count),
  )
const outcomes = (responses: readonly { status: number; body: string }[]) =>
  responses.map(({ status, body }) => `${status} ${body}`)
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value)

// The cast holds: a literal's own keys are all that Object.keys gives.
const builtInTypes = Object.keys(handlerMap) as (keyof typeof handlerMap)[]

/** One event of each built-in type of the shape, of our own account and of a connected one. */
function buildEveryType(thin: boolean) {
  const types = builtInTypes.filter((type) => isThinType(type) === thin && !previewTypes.includes(type))
  return [undefined, 'acct_1StripeCliConnected'].flatMap((account) =>
    types.map((type) => ({ type, account, body: buildSampleEvent({ type, account, now: new Date() }) })),
  )
}

/** Lets the double answer what a thin event's handler fetches; gives the path, if the event names an object. */
function offerRelatedObject(type: EventType, body: string): string[] {
  const related: { id?: string; url: string } | undefined = JSON.parse(body).related_object
  if (related === undefined) return []
  const object = createSample({ type, now: new Date() }).related
  rig.api.route('GET', related.url, () => ({ body: { ...object, id: related.id } }))
  return [related.url]
}

describe('the Stripe CLI in front of the server', () => {
  it('prints a secret that works in .env', async () => {
    const secret = await printSecret(rig.place)
    expect(secret).toBe(rig.stripe.secret)
    const server = await rig.startServer(secret)
    await rig.listen('--all-snapshot', '--forward-to', `${server.url}/webhook`)
    const id = rig.stripe.push(snapshotJson())
    expect(outcomes(await rig.responsesTo([id]))).toEqual([`200 ${RECEIVED}`])
    expect(await entries()).toMatchObject([{ eventId: id, secret: `1:…${secret.slice(-4)}` }])
    expect(existsSync(join(rig.place.home, 'stripe', 'config.toml'))).toBe(true)
  })

  it.each(['snapshot', 'thin'] as const)('forwards %s events of every built-in type on both routes', async (shape) => {
    const server = await rig.startServer(rig.stripe.secret)
    const [url, connectUrl] = [`${server.url}/webhook`, `${server.url}/webhook/connect`]
    await rig.listen(`--all-${shape}`, '--forward-to', url, '--forward-connect-to', connectUrl)
    const sent = buildEveryType(shape === 'thin').map(({ type, account, body }) => {
      const fetched = offerRelatedObject(type, body)
      return { type, account, fetched, id: rig.stripe.push(body) }
    })
    const responses = await rig.responsesTo(sent.map(({ id }) => id))
    await handled(sent.length)
    const stored = await entries()
    expect(stored).toHaveLength(sent.length)
    for (const { type, account, id } of sent) {
      const [route, forward_url] = account === undefined ? ['account', url] : ['connect', connectUrl]
      const response = responses.find(({ notification_id }) => notification_id === id)
      expect(response, type).toMatchObject({ status: 200, body: RECEIVED, forward_url })
      const entry = stored.find(({ eventId }) => eventId === id)
      expect(entry).toMatchObject({ type, shape, route, account: account ?? null, state: 'handled', reason: null })
    }
    const asked = rig.api.requests.map(({ path }) => path).filter((path) => path !== COUNTED)
    expect(asked.sort()).toEqual(sent.flatMap(({ fetched }) => fetched).sort())
    expect([...rig.stripe.acknowledged].sort()).toEqual(sent.map(({ id }) => id).sort())
  })

  it('understands the command that the server prints, which sends Connect events to their own route', async () => {
    const server = await rig.startServer(rig.stripe.secret)
    const line = await eventually('the command', () => server.lines().find(({ command }) => command !== undefined))
    const [program, command, ...args] = String(line.command).split(' ')
    expect([program, command]).toEqual(['stripe', 'listen'])
    await rig.listen(...args)
    const ids = [{}, { account: 'acct_1' }].map((overrides) => rig.stripe.push(snapshotJson(overrides)))
    expect(outcomes(await rig.responsesTo(ids))).toEqual(times(2, `200 ${RECEIVED}`))
    expect((await entries()).map(({ route }) => route).sort()).toEqual(['account', 'connect'])
  })

  it('forwards a burst of 300, some of them twice: each is stored and handled once', async () => {
    const server = await rig.startServer(rig.stripe.secret)
    await rig.listen('--all-snapshot', '--forward-to', `${server.url}/webhook`)
    const bodies = Array.from({ length: 300 }, () => snapshotJson())
    const ids = [...bodies, ...bodies.slice(0, 30)].map((body) => rig.stripe.push(body))
    expect(outcomes(await rig.responsesTo(ids))).toEqual(times(330, `200 ${RECEIVED}`))
    await handled(300)
    const stored = await entries()
    expect(stored.map(({ eventId }) => eventId).sort()).toEqual([...new Set(ids)].sort())
    expect(stored.every(({ attempts }) => attempts === 1)).toBe(true)
  })

  it('forwards 300 KB, which are stored byte for byte', async () => {
    const server = await rig.startServer(rig.stripe.secret)
    await rig.listen('--all-snapshot', '--forward-to', `${server.url}/webhook`)
    const event = JSON.parse(buildSampleEvent({ type: 'payment_intent.succeeded', now: new Date() }))
    event.data.object.description = 'Käse \u{1F9C0} <&> \u2028 "quoted" \\ / '.repeat(9_000)
    // As JSON may be written, and JSON.stringify never does.
    const json = JSON.stringify(event).replaceAll('ä', '\\u00E4').replaceAll('/ ', '\\/ ')
    const body = ` ${json.replaceAll('":', '" :\r\n\t')}\n`
    expect(Buffer.byteLength(body)).toBeGreaterThan(300_000)
    const id = rig.stripe.push(body)
    expect(outcomes(await rig.responsesTo([id]))).toEqual([`200 ${RECEIVED}`])
    const found = await rig.withInbox((inbox) => inbox.get(id))
    expect(Buffer.from(found?.body ?? []).equals(Buffer.from(body))).toBe(true)
    await handled(1)
  })

  it('shows the 400 of a server with another secret, which stores nothing', async () => {
    const server = await rig.startServer('whsec_of_another_destination')
    const cli = await rig.listen('--all-snapshot', '--forward-to', `${server.url}/webhook`)
    const id = rig.stripe.push(snapshotJson())
    const [response] = await rig.responsesTo([id])
    expect(response?.status).toBe(400)
    expect(JSON.parse(response?.body ?? '')).toMatchObject({ error: { code: 'signature_mismatch' } })
    await eventually('the CLI to show it', () => cli.text().includes(`[400] POST ${server.url}/webhook [${id}]`))
    expect(await entries()).toEqual([])
  })

  it('goes on after a restart: what was answered 200 is handled, and what failed may come again', async () => {
    // It only stores, so that nothing is handled before the crash.
    const server = await rig.startServer(rig.stripe.secret, { ROLE: 'receive' })
    const cli = await rig.listen('--all-snapshot', '--forward-to', `${server.url}/webhook`)
    const told = () => rig.stripe.responses.length
    const failed = () => cli.text().split('Failed to POST').length - 1
    const bodies = Array.from({ length: 60 }, () => snapshotJson())
    for (const body of bodies) rig.stripe.push(body)
    await eventually('the first answer', () => told() > 0)
    await rig.killServer()
    bodies.push(snapshotJson())
    const whileDown = rig.stripe.push(bodies.at(-1) ?? '')
    await eventually('each to be answered or to fail', () => told() + failed() === bodies.length)
    const answered = rig.stripe.responses.map(({ notification_id }) => notification_id)
    expect(outcomes(rig.stripe.responses)).toEqual(times(answered.length, `200 ${RECEIVED}`))
    expect(answered).not.toContain(whileDown)
    const pending = (await entries()).filter(({ state }) => state === 'pending').map(({ eventId }) => eventId)
    expect(pending).toEqual(expect.arrayContaining(answered))

    await rig.startServer(rig.stripe.secret)
    await handled(pending.length)
    for (const body of bodies) rig.stripe.push(body)
    await eventually('all the second deliveries', () => told() === answered.length + bodies.length)
    expect(outcomes(rig.stripe.responses)).toEqual(times(told(), `200 ${RECEIVED}`))
    await handled(bodies.length)
    expect(await entries()).toHaveLength(bodies.length)
  })
})

describe('running the Stripe CLI', () => {
  it('would be seen to go outside: with its update check and telemetry on, it tries', async () => {
    const outside = await startOutside()
    const place = { ...rig.place, proxyUrl: outside.url }
    const cli = await startListening(place, ['--all-snapshot'], { isQuiet: false })
    try {
      const places = ['api.github.com:443', 'r.stripe.com:443']
      await eventually('both', () => places.every((name) => outside.asked.includes(name)))
    } finally {
      await cli.stop()
      await outside.close()
    }
  })

  it('fails on a platform without a binary, and names those that have one', () => {
    expect(() => findStripeCli('sunos-x64')).toThrow(/no binary for sunos-x64.*linux-x64/)
  })
})
