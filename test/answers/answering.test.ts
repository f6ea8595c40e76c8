import { afterEach, expect, it } from 'vitest'
import { type Answering, type AnsweringOptions, startAnswering } from '../../src/answers/answering.ts'
import { createKeepLater } from '../../src/answers/keep-later.ts'
import { ReceiverError } from '../../src/errors.ts'
import type { Answerer, NewEntry } from '../../src/event.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'

const TYPE = 'issuing_authorization.request'
const MOST_AT_ONCE = 1_024
const MOST_KEPT = 10_000

let answering: Answering | undefined
afterEach(() => answering?.stop(0))

/** Of a store that takes everything, unless told otherwise. */
async function start(answer: Answerer<unknown, unknown>['answer'], inbox: Partial<AnsweringOptions['inbox']> = {}) {
  const { log, lines } = await captureLog('info')
  const replied: string[] = []
  const store: AnsweringOptions['inbox'] = {
    add: async () => 'added',
    get: async () => undefined,
    decide: async () => null,
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

it('keeps so many replies for a store that is away, and says which are lost', async () => {
  const { log, lines } = await captureLog('error')
  const later = createKeepLater(log)
  const ended: string[] = []
  const unkept = (eventId: string) => ({
    eventId,
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
})

it('gives up what the store refuses, and stores what waits behind it', async () => {
  const { log, lines } = await captureLog('error')
  const later = createKeepLater(log)
  const kept = Promise.withResolvers<void>()
  const ended: string[] = []
  const onEnded = (eventId: string) => () => void ended.push(eventId)
  const refuse = () => Promise.reject(new Error('no such column'))
  later.add({ eventId: 'evt_refused', keep: refuse, onEnded: onEnded('evt_refused') })
  later.add({ eventId: 'evt_behind', keep: async () => kept.resolve(), onEnded: onEnded('evt_behind') })
  await kept.promise
  await later.stop(1_000)
  expect(ended).toEqual(['evt_refused', 'evt_behind'])
  expect(lines()).toMatchObject([{ eventId: 'evt_refused', msg: expect.stringMatching(/is lost/) }])
})
