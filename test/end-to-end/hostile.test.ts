import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../../src/http/app.ts'
import { type HttpServer, listen } from '../../src/http/listen.ts'
import {
  changedBytes,
  rightDelivery,
  signedDelivery,
  signedTexts,
  toBytes,
  wrongBody,
} from '../support/hostile-deliveries.ts'
import { chunked, pipelinedAny, pipelinedRight, signedInTrailer, wrongChunks } from '../support/hostile-framing.ts'
import { forged, oddHeaders, oddRequestLine } from '../support/hostile-heads.ts'
import { oddJson } from '../support/hostile-json.ts'
import { captureLog } from '../support/log-lines.ts'
import { exchangeRaw, type RawAnswer } from '../support/raw-http.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'
import { CONNECT_SECRET, SECRET, snapshotJson } from '../support/sign.ts'

let store: Awaited<ReturnType<typeof openScratchInbox>>
let captured: Awaited<ReturnType<typeof captureLog>>
let server: HttpServer
let cases = 0
beforeAll(async () => {
  store = await openScratchInbox()
  captured = await captureLog('error')
  const app = createApp({
    inbox: store.inbox,
    add: store.inbox.add,
    log: captured.log,
    mode: 'any',
    toleranceSeconds: 300,
    maxBodyBytes: 1_048_576,
    secrets: [SECRET],
    connectSecrets: [CONNECT_SECRET],
    isDraining: () => false,
    onAccepted: () => {},
    onRefused: () => {},
  })
  server = await listen(app, { host: '127.0.0.1', port: 0, variable: 'PORT' })
})
afterAll(async () => {
  await server.close(0)
  await store.remove()
})

/** `expected` answers, or without it all that come. */
async function exchange(bytes: Uint8Array, expected?: number): Promise<RawAnswer[]> {
  cases += 1
  const answers = await exchangeRaw(Number(new URL(server.url).port), bytes, expected)
  for (const { status, body } of answers) if (status >= 500) throw new Error(`answered ${status}: ${body}`)
  return answers
}
const statusesOf = (answers: readonly RawAnswer[]) => answers.map(({ status }) => status)
const total = async () => Object.values(await store.inbox.counts()).reduce((sum, count) => sum + count, 0)

const holdsFor = <T>(arbitrary: fc.Arbitrary<T>, numRuns: number, property: (value: T) => Promise<void>) =>
  fc.assert(fc.asyncProperty(arbitrary, property), { numRuns })

describe('hostile input', () => {
  it('never keeps a right delivery out', async () => {
    await holdsFor(rightDelivery, 300, async (right) => {
      expect(statusesOf(await exchange(toBytes(right), 1))).toEqual([200])
    })
  })

  it('is refused when the body is not the one that was signed', async () => {
    const before = await total()
    await holdsFor(wrongBody, 2_500, async (wrong) => {
      expect(statusesOf(await exchange(toBytes(wrong), 1))).toEqual([400])
    })
    expect(await total()).toBe(before)
  })

  it('is refused when its signatures prove nothing', async () => {
    const before = await total()
    await holdsFor(forged, 2_000, async (delivery) => {
      expect(statusesOf(await exchange(toBytes(delivery), 1))).toEqual([400])
    })
    expect(await total()).toBe(before)
  })

  it.each([
    ['bytes changed anywhere', changedBytes, 2_500],
    ['odd headers', oddHeaders, 1_500],
    ['odd request lines', oddRequestLine, 700],
    ['chunks that lie', wrongChunks, 400],
  ])('is never answered 5xx: %s', async (_name, requests, runs) => {
    await holdsFor(requests, runs, async (bytes) => void (await exchange(bytes)))
  })

  it('may come in chunks, but not with its signature after them', async () => {
    await holdsFor(chunked, 200, async (bytes) => {
      expect(statusesOf(await exchange(bytes, 1))).toEqual([200])
    })
    await holdsFor(signedInTrailer, 100, async (bytes) => {
      expect(statusesOf(await exchange(bytes, 1))).toEqual([400])
    })
  })

  it('may come pipelined: right ones are all taken, wrong ones take nothing along', async () => {
    await holdsFor(pipelinedRight, 100, async (requests) => {
      expect(statusesOf(await exchange(Buffer.concat(requests), requests.length))).toEqual(requests.map(() => 200))
    })
    await holdsFor(pipelinedAny, 300, async (requests) => void (await exchange(Buffer.concat(requests))))
  })

  it('is stored or bad_payload when it is odd and rightly signed', async () => {
    await holdsFor(oddJson, 1_500, async (text) => {
      const [answer] = await exchange(toBytes(signedDelivery(text)), 1)
      if (answer?.status === 200) {
        const { id } = JSON.parse(text)
        expect((await store.inbox.get(id))?.entry.eventId).toBe(id.toWellFormed())
      } else expect(JSON.parse(answer?.body ?? '').error.code).toBe('bad_payload')
    })
    expect({}).not.toHaveProperty('polluted')
  })

  it.each([
    ['an id of 256 characters', { id: 'x'.repeat(256) }],
    ['a type of 256 characters', { type: 'x'.repeat(256) }],
    ['an id with a blank', { id: 'evt_ 1' }],
    ['an id with a line break', { id: 'evt_\n1' }],
    // The store could not tell it from another one.
    ['an id with half a character', { id: 'evt_\ud800' }],
    ['a type with NUL', { type: 'payout\u0000failed' }],
  ])('is bad_payload when it is rightly signed, and has %s', async (_name, fields) => {
    const answers = await exchange(toBytes(signedDelivery(snapshotJson(fields))), 1)
    expect(statusesOf(answers)).toEqual([400])
    expect(JSON.parse(answers[0]?.body ?? '').error.code).toBe('bad_payload')
  })

  // Last, over all that came before.
  it('leaves nothing in the inbox but what was rightly signed, and no fault in the log, after 10,000 cases', async () => {
    const pageSize = 500
    let page = await store.inbox.list({}, { limit: pageSize })
    while (page.length > 0) {
      for (const { eventId } of page) {
        const body = (await store.inbox.get(eventId))?.body
        expect(signedTexts).toContain(Buffer.from(body ?? []).toString('utf8'))
      }
      page = await store.inbox.list({}, { limit: pageSize, before: page.at(-1)?.eventId ?? '' })
    }
    expect(captured.text()).toBe('')
    expect(cases).toBeGreaterThan(10_000)
  })
})
