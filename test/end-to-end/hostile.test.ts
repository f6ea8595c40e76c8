import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import {
  changedBytes,
  rightDelivery,
  signedDelivery,
  signedTexts,
  toBytes,
  wrongBody,
} from '../support/hostile-deliveries.ts'
import { chunked, pipelinedAny, pipelinedRight, signedInTrailer, wrongChunks } from '../support/hostile-framing.ts'
import { POLLUTED } from '../support/hostile-handlers.ts'
import { forged, oddHeaders, oddRequestLine } from '../support/hostile-heads.ts'
import { oddJson } from '../support/hostile-json.ts'
import { exchangeRaw, type RawAnswer } from '../support/raw-http.ts'
import { type ScriptedServer, startScripted } from '../support/scripted-server.ts'
import { CONNECT_SECRET, SECRET, snapshotJson } from '../support/sign.ts'

/** Each on a connection of its own. */
const AT_ONCE = 32
const PAGE = 500

const seed = Math.floor(Math.random() * 2 ** 31)
let server: ScriptedServer
let cases = 0
const statuses = new Set<number>()
beforeAll(async () => {
  const HANDLERS = fileURLToPath(new URL('../support/hostile-handlers.ts', import.meta.url))
  server = await startScripted({ HANDLERS, MAX_ATTEMPTS: '1' })
})
afterAll(() => server.remove())

/** `expected` answers, or without it all that come. */
async function exchange(bytes: Uint8Array, expected?: number): Promise<RawAnswer[]> {
  cases += 1
  const answers = await exchangeRaw(server.port, bytes, expected)
  for (const { status, head, body } of answers) {
    statuses.add(status)
    if (status >= 500) throw new Error(`answered ${status}: ${body}`)
    // Refusals of Node's own, of what is no HTTP, have no body.
    if (status >= 400 && /\r\ncontent-type: application\/json/i.test(head)) expect(codeOf(body)).toMatch(/^[a-z_]+$/)
  }
  return answers
}
const codeOf = (body: string) => JSON.parse(body).error.code
const statusesOf = (answers: readonly RawAnswer[]) => answers.map(({ status }) => status)
const total = () =>
  server.withInbox(async (inbox) => Object.values(await inbox.counts()).reduce((sum, count) => sum + count, 0))

/** Fails with the first value that the check fails for. */
async function holdsFor<T>(arbitrary: fc.Arbitrary<T>, count: number, check: (value: T) => Promise<void>) {
  const values = fc.sample(arbitrary, { numRuns: count, seed }).values()
  async function checkNext(): Promise<void> {
    for (const value of values)
      await check(value).catch((cause) => {
        throw new Error(`with seed ${seed}, for ${fc.stringify(value)}`, { cause })
      })
  }
  await Promise.all(Array.from({ length: AT_ONCE }, checkNext))
}

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
    await holdsFor(forged, 2_500, async (delivery) => {
      expect(statusesOf(await exchange(toBytes(delivery), 1))).toEqual([400])
    })
    expect(await total()).toBe(before)
  })

  it.each([
    ['bytes changed anywhere', changedBytes, 2_500],
    ['odd headers', oddHeaders, 1_500],
    ['odd request lines', oddRequestLine, 700],
    ['chunks that lie', wrongChunks, 400],
  ])('is never answered 5xx: %s', async (_name, requests, count) => {
    await holdsFor(requests, count, async (bytes) => void (await exchange(bytes)))
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
    const taken = new Set<string>()
    await holdsFor(oddJson, 1_000, async (text) => {
      const [answer] = await exchange(toBytes(signedDelivery(text)), 1)
      if (answer?.status === 200) taken.add(JSON.parse(text).id)
      else expect(codeOf(answer?.body ?? '')).toBe('bad_payload')
    })
    expect(taken.size).toBeGreaterThan(50)
    await server.withInbox(async (inbox) => {
      for (const id of taken) expect((await inbox.get(id))?.entry.eventId).toBe(id.toWellFormed())
    })
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
    expect(codeOf(answers[0]?.body ?? '')).toBe('bad_payload')
  })
})

/** The id in a text, if it is an event's. */
function idOf(text: string): unknown {
  try {
    const id: unknown = JSON.parse(text)?.id
    return typeof id === 'string' ? id.toWellFormed() : id
  } catch {
    return undefined
  }
}

// Last, over all that came before.
describe('after 10,000 cases', () => {
  beforeAll(() => {
    expect(cases).toBeGreaterThan(10_000)
  })

  it('the server takes and handles deliveries, and has logged no fault, no secret and no signature', async () => {
    expect([...statuses]).toEqual(expect.arrayContaining([200, 400, 404, 405]))
    const body = snapshotJson({ type: 'made.up' })
    expect(await deliver(`${server.url}/webhook`, body)).toBe(200)
    signedTexts.add(body)
    await server.withInbox((inbox) =>
      eventually('all to settle', async () => {
        const { pending, running } = await inbox.counts()
        return pending + running === 0
      }),
    )
    const { entry } = await server.find(JSON.parse(body).id)
    expect(entry.state).toBe('handled')
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    expect(server.lines().filter(({ level, eventId }) => Number(level) >= 50 && eventId === undefined)).toEqual([])
    for (const secret of [SECRET, CONNECT_SECRET]) expect(server.text()).not.toContain(secret)
    expect(server.text()).not.toMatch(/v1=[\da-f]{64}/)
  })

  it('nothing is in the inbox, and nothing was attempted, but what was rightly signed', async () => {
    await server.withInbox(async (inbox) => {
      let page = await inbox.list({}, { limit: PAGE })
      expect(page).toHaveLength(PAGE)
      while (page.length > 0) {
        for (const { eventId, reason } of page) {
          expect(reason).not.toBe(POLLUTED)
          const body = (await inbox.get(eventId))?.body
          expect(signedTexts).toContain(Buffer.from(body ?? []).toString('utf8'))
        }
        page = await inbox.list({}, { limit: PAGE, before: page.at(-1)?.eventId ?? '' })
      }
    })
    const signedIds = new Set(Array.from(signedTexts, idOf))
    const ofEvents = server.lines().filter(({ eventId }) => eventId !== undefined)
    expect(ofEvents.length).toBeGreaterThan(PAGE)
    for (const { eventId } of ofEvents) expect(signedIds).toContain(eventId)
  })
})
