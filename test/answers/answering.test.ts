import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { type Answering, type AnsweringOptions, startAnswering } from '../../src/answers/answering.ts'
import { createKeepLater } from '../../src/answers/keep-later.ts'
import { ReceiverError } from '../../src/errors.ts'
import type { Answerer, NewEntry } from '../../src/event.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'

const TYPE = 'issuing_authorization.request'
const MOST_AT_ONCE = 1_024
const MOST_KEPT = 10_000
const MOST_UNRETURNED = 4_096

let answering: Answering | undefined
afterEach(() => answering?.stop(0))

/** Of a store that takes everything, unless told otherwise. */
async function start(answer: Answerer<unknown, unknown>['answer'], inbox: Partial<AnsweringOptions['inbox']> = {}) {
  const { log, lines } = await captureLog('info')
  const replied: string[] = []
  const store: AnsweringOptions['inbox'] = {
    add: async () => 'added',
    get: async () => undefined,
    decide: async (_eventId, decision) => decision,
    ...inbox,
  }
  const answerers = new Map([[TYPE, { withinMs: 9_000, otherwise: { approved: false }, answer }]])
  answering = startAnswering({ answerers, inbox: store, log, onReplied: (_type, how) => void replied.push(how) })
  return { answering, lines, replied }
}

const request = (overrides: Partial<NewEntry> = {}) => newEntry({ type: TYPE, state: 'handled', ...overrides })

it('asks so many functions at once, and replies `otherwise` at once to what comes beyond', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  const { answering, replied } = await start(async () => {
    await released
    return { approved: true }
  })
  const waiting = Array.from({ length: MOST_AT_ONCE }, () => answering.reply(request(), performance.now()))
  const beyond = await answering.reply(request(), performance.now())
  expect(beyond.body).toBe('{"approved":false}')
  expect(replied).toEqual(['otherwise'])
  release()
  expect(new Set((await Promise.all(waiting)).map(({ body }) => body))).toEqual(new Set(['{"approved":true}']))
  expect((await answering.reply(request(), performance.now())).body).toBe('{"approved":true}')
})

it('aborts what nobody waits for any more: the stored answer has come first', async () => {
  const stored = { answer: { approved: true }, how: 'answered', reason: null, durationMs: 3 } as const
  const { promise: aborted, resolve: abort } = Promise.withResolvers<string>()
  const { answering, replied } = await start(
    (_event, { signal }) => new Promise(() => signal.addEventListener('abort', () => abort('aborted'))),
    { add: async () => 'duplicate', get: async () => ({ decision: stored }) as never },
  )
  expect((await answering.reply(request(), performance.now())).body).toBe('{"approved":true}')
  expect(await aborted).toBe('aborted')
  expect(replied).toEqual(['stored'])
})

it('says so when what was replied is not what is stored, also of a store that was only late', async () => {
  const stored = { answer: { approved: false }, how: 'answered', reason: null, durationMs: 3 } as const
  const { promise: late, resolve: come } = Promise.withResolvers<void>()
  const { answering, lines } = await start(() => ({ approved: true }), {
    async add() {
      await late
      return 'duplicate'
    },
    get: async () => ({ decision: stored }) as never,
  })
  const longAgo = performance.now() - 8_990
  expect((await answering.reply(request(), longAgo)).body).toBe('{"approved":true}')
  come()
  await eventually('the error', () => lines().some(({ msg }) => /another reply .* was stored before/.test(msg)))
})

it('says so when the store cannot keep what was replied: the event is there as one that a handler takes', async () => {
  const { answering, lines } = await start(() => ({ approved: true }), {
    add: async () => 'duplicate',
    decide: async () => null,
  })
  expect((await answering.reply(request(), performance.now())).body).toBe('{"approved":true}')
  await eventually('the error', () => lines().some(({ level, msg }) => level === 50 && /is not recorded/.test(msg)))
})

it('says so when a reply goes out late: the loop stood still', async () => {
  const { answering, lines } = await start(() => ({ approved: true }))
  await answering.reply(request(), performance.now() - 9_500)
  expect(lines()).toContainEqual(expect.objectContaining({ level: 50, msg: expect.stringMatching(/went out late/) }))
})

it('keeps so many replies for a store that is away, and says which are lost', async () => {
  const { log, lines } = await captureLog('error')
  const later = createKeepLater(log)
  const ended: string[] = []
  const unkept = (eventId: string, bytes = 10) => ({
    ...{ eventId, bytes },
    keep: () => Promise.reject(new ReceiverError('store_unavailable', 'away')),
    onEnded: () => void ended.push(eventId),
  })
  for (let index = 0; index < MOST_KEPT; index += 1) later.add(unkept(`evt_${index}`))
  expect(lines()).toEqual([])
  later.add(unkept('evt_beyond'))
  expect(lines()).toMatchObject([{ eventId: 'evt_beyond', msg: expect.stringMatching(/is lost/) }])
  expect(ended).toEqual(['evt_beyond'])
  await later.stop(0)
  expect(lines()).toHaveLength(MOST_KEPT + 1)
  const large = createKeepLater(log)
  for (const eventId of ['evt_large', 'evt_too_large']) large.add(unkept(eventId, 40 * 1024 * 1024))
  expect(lines().at(-1)).toMatchObject({ eventId: 'evt_too_large' })
  await large.stop(0)
})

it('replies `otherwise` at once where thousands of functions never return, until some do', async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>()
  let asked = 0
  const { answering, replied } = await start(() => {
    asked += 1
    return released.then(() => ({ approved: true }))
  })
  const longAgo = () => performance.now() - 9_000
  while (asked < MOST_UNRETURNED) {
    const some = Array.from({ length: 512 }, () => answering.reply(request(), longAgo()))
    expect((await Promise.all(some)).every(({ body }) => body === '{"approved":false}')).toBe(true)
  }
  expect((await answering.reply(request(), performance.now())).body).toBe('{"approved":false}')
  expect(asked).toBe(MOST_UNRETURNED)
  release()
  await nextTurn()
  expect((await answering.reply(request(), performance.now())).body).toBe('{"approved":true}')
  expect(replied.at(-1)).toBe('answered')
})

it('gives up what the store refuses, and stores what waits behind it', async () => {
  const { log, lines } = await captureLog('error')
  const later = createKeepLater(log)
  const kept = Promise.withResolvers<void>()
  const ended: string[] = []
  const onEnded = (eventId: string) => () => void ended.push(eventId)
  const refuse = () => Promise.reject(new Error('no such column'))
  later.add({ eventId: 'evt_refused', bytes: 10, keep: refuse, onEnded: onEnded('evt_refused') })
  later.add({ eventId: 'evt_behind', bytes: 10, keep: async () => kept.resolve(), onEnded: onEnded('evt_behind') })
  await kept.promise
  await later.stop(1_000)
  expect(ended).toEqual(['evt_refused', 'evt_behind'])
  expect(lines()).toMatchObject([{ eventId: 'evt_refused', msg: expect.stringMatching(/is lost/) }])
})
