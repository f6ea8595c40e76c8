import { hostname } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Alerts, startAlerts } from '../../src/alerts/alerts.ts'
import { composeTrial } from '../../src/alerts/message.ts'
import type { Sent } from '../../src/alerts/send.ts'
import type { Outcome } from '../../src/event.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'

const MINUTE = 60_000
const ok: Sent = { isSent: true, answer: 'status 200' }

let alerts: Alerts
let captured: Awaited<ReturnType<typeof captureLog>>
let messages: Record<string, unknown>[]
let looks: number
let isDown: boolean
let send: (message: object, signal?: AbortSignal) => Promise<Sent>

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  messages = []
  looks = 0
  isDown = false
  send = async () => ok
  captured = await captureLog()
  const inbox = {
    async check() {
      looks += 1
      if (isDown) throw new Error('down')
    },
  }
  const recordAndSend = (message: object, signal?: AbortSignal) => {
    messages.push({ ...message })
    return send(message, signal)
  }
  alerts = startAlerts({ send: recordAndSend, inbox, mode: 'live', log: captured.log }, { lookMs: 1 })
})
afterEach(async () => {
  await alerts.stop(0)
  vi.useRealTimers()
})

const dead: Outcome = { state: 'dead', error: 'card gateway timed out\n    at pay' }
function die(eventId: string, outcome: Outcome = dead): void {
  const entry = { ...newEntry({ eventId, type: 'payout.failed' }), receivedAt: new Date() }
  alerts.onAttemptEnded({ entry }, outcome)
}

/** Lets the time pass, and what was begun come to its end. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms)
  await nextTurn()
}

describe('a message', () => {
  it('has the text, the facts beside it, and what to run', async () => {
    die('evt_1')
    await pass(0)
    const hint = 'npm run events -- list --state dead --type payout.failed'
    expect(messages).toEqual([
      {
        text: expect.stringContaining(
          ` (live): payout.failed: 1 event died, evt_1: \`card gateway timed out\`\n→ ${hint}`,
        ),
        kind: 'event_died',
        host: hostname(),
        mode: 'live',
        count: 1,
        eventType: 'payout.failed',
        reason: 'card gateway timed out',
        eventIds: ['evt_1'],
        hint,
      },
    ])
  })

  it('tells of requests that were answered with their `otherwise`, by type and cause, and of no others', async () => {
    for (const how of ['answered', 'stored', 'otherwise', 'otherwise', 'failed'])
      alerts.onReplied('issuing_authorization.request', how)
    await pass(0)
    await pass(MINUTE)
    expect(messages).toMatchObject([
      { kind: 'otherwise_replied', count: 2, how: 'otherwise', types: { 'issuing_authorization.request': 2 } },
      { kind: 'otherwise_replied', count: 1, how: 'failed' },
    ])
    expect(messages[0]?.text).toMatch(
      /2 requests answered with `otherwise` \(.*\): the function did not answer in time\n/,
    )
  })

  it('tells of what a target was given up for, by target and cause', async () => {
    const entryOf = (eventId: string) => ({ ...newEntry({ eventId, type: 'payout.failed' }), receivedAt: new Date() })
    const give = (target: string, eventId: string, error: string) =>
      alerts.onForwarded({ target, entry: entryOf(eventId) }, { state: 'dead', status: 422, error, answer: 'no' })
    for (const eventId of ['evt_1', 'evt_2']) give('shop', eventId, 'answered 422')
    give('books', 'evt_3', 'answered 422')
    alerts.onForwarded(
      { target: 'books', entry: entryOf('evt_4') },
      { state: 'pending', status: 500, error: 'answered 500', answer: '', retryInMs: 1 },
    )
    await pass(0)
    await pass(MINUTE)
    const [first, ...others] = messages
    expect(first).toMatchObject({ kind: 'forward_died', count: 2, target: 'shop', eventIds: ['evt_1', 'evt_2'] })
    expect(first?.text).toMatch(
      /the target shop: 2 events given up, the last evt_2: `answered 422`\n→ npm run targets -- show shop$/,
    )
    expect(others).toMatchObject([{ kind: 'forward_died', count: 1, target: 'books' }])
  })

  it('tells of what is held for a target as it comes', async () => {
    const forward = (target: string, held: string | null) => ({ target, hops: 1, held })
    alerts.onHeld('evt_1', [forward('shop', 'its `where` threw'), forward('books', null)])
    await pass(0)
    expect(messages).toMatchObject([{ kind: 'forward_held', count: 1, target: 'shop', eventIds: ['evt_1'] }])
    expect(messages[0]?.text).toContain('the target shop: 1 event held, evt_1: `its ')
  })

  it('tells what reconcile added, and nothing when that was nothing', async () => {
    const tally = { found: 3, missing: 2, added: 2 }
    alerts.onReconciled(new Map([['payout.failed', { found: 3, missing: 0, added: 0 }]]))
    alerts.onReconciled(
      new Map([
        ['payout.failed', tally],
        ['payout.paid', { found: 1, missing: 1, added: 1 }],
        ['payout.created', { found: 1, missing: 1, added: 0 }],
      ]),
    )
    await pass(0)
    expect(messages).toMatchObject([{ kind: 'undelivered', count: 3, types: { 'payout.failed': 2, 'payout.paid': 1 } }])
    expect(messages[0]?.text).toContain(
      'Stripe could not deliver 3 events, which reconcile has added: payout.failed 2, payout.paid 1',
    )
  })

  it('tells of refused signatures, and of no other refusals', async () => {
    for (let index = 0; index < 10; index += 1) alerts.onRefused('bad_payload')
    for (let index = 0; index < 5; index += 1) alerts.onRefused('signature_mismatch')
    await pass(0)
    expect(messages).toEqual([])
    alerts.onRefused('timestamp_too_old')
    await pass(0)
    expect(messages).toMatchObject([
      { kind: 'signatures_refused', codes: { signature_mismatch: 5, timestamp_too_old: 1 }, hint: 'npm run doctor' },
    ])
  })

  it('tells of a store that is down for a minute, and that it is back', async () => {
    const nextLook = () => {
      const before = looks
      return eventually('a look', () => looks > before + 1)
    }
    isDown = true
    await nextLook()
    alerts.onRefused('store_unavailable')
    alerts.onRefused('overloaded')
    await pass(MINUTE - 1_000)
    await nextLook()
    expect(messages).toEqual([])
    await pass(1_000)
    await nextLook()
    await pass(0)
    expect(messages).toMatchObject([{ kind: 'store_down', downSeconds: 60, refused: 2 }])
    isDown = false
    await nextLook()
    await pass(0)
    expect(messages.slice(1)).toMatchObject([{ kind: 'store_back', downSeconds: 60, refused: 2 }])
  })

  it('has no name but text that means something to chat systems', async () => {
    const meant = ['type', 'channel', 'username', 'props', 'attachments', 'blocks', 'priority', 'payload']
    die('evt_1')
    alerts.onReconciled(new Map([['payout.failed', { found: 1, missing: 1, added: 1 }]]))
    for (let index = 0; index < 6; index += 1) alerts.onRefused('signature_mismatch')
    await pass(10)
    expect(messages).toHaveLength(3)
    const names = [...messages, composeTrial('any')].flatMap((message) => Object.keys(message))
    expect(names.filter((name) => meant.includes(name))).toEqual([])
  })
})

describe('an attempt that ended otherwise', () => {
  it.each<Outcome>([{ state: 'handled' }, { state: 'unhandled' }, { state: 'pending', retryInMs: 1, error: 'no' }])(
    'is not told of: $state',
    async (outcome) => {
      die('evt_1', outcome)
      await pass(MINUTE)
      expect(messages).toEqual([])
    },
  )
})

describe('a receiver that fails', () => {
  it('is asked again after a minute, with all that came meanwhile; the log tells what it answered', async () => {
    send = async () => ({ isSent: false, answer: 'status 500' })
    die('evt_1')
    await pass(0)
    die('evt_2')
    await pass(MINUTE - 1)
    expect(messages).toHaveLength(1)
    send = async () => ok
    await pass(1)
    expect(messages[1]).toMatchObject({ count: 2, eventIds: ['evt_1', 'evt_2'] })
    expect(captured.lines()).toMatchObject([
      { level: 40, kind: 'event_died', answer: 'status 500', msg: 'alert not sent; will try again' },
      { level: 30, kind: 'event_died', msg: 'alert sent' },
    ])
  })

  it('is given up after five tries, and told how long ago it was by then', async () => {
    send = async () => ({ isSent: false, answer: 'status 500' })
    die('evt_1')
    await pass(10 * MINUTE)
    expect(messages).toHaveLength(5)
    expect(messages[4]?.text).toContain('(the last 4 min ago)')
    expect(captured.lines().at(-1)).toMatchObject({ level: 40, msg: 'alert not sent, and given up' })
  })

  it('that hangs keeps nobody, and has one message at a time', async () => {
    const { promise, resolve } = Promise.withResolvers<Sent>()
    send = () => promise
    die('evt_1')
    await pass(0)
    for (let index = 0; index < 1_000; index += 1) die(`evt_${index}`)
    alerts.onReconciled(new Map([['payout.failed', { found: 1, missing: 1, added: 1 }]]))
    await pass(5 * MINUTE)
    expect(messages).toHaveLength(1)
    resolve(ok)
    await pass(0)
    expect(messages).toHaveLength(2)
  })
})

describe('the stop', () => {
  it('sends what waits for its minute, and nothing after it', async () => {
    die('evt_1')
    await pass(0)
    die('evt_2')
    await alerts.stop(1_000)
    expect(messages[1]).toMatchObject({ eventIds: ['evt_2'] })
    die('evt_3')
    await pass(5 * MINUTE)
    expect(messages).toHaveLength(2)
  })

  it('asks a receiver that fails no second time', async () => {
    send = async () => ({ isSent: false, answer: 'status 500' })
    die('evt_1')
    alerts.onReconciled(new Map([['payout.failed', { found: 1, missing: 1, added: 1 }]]))
    await alerts.stop(1_000)
    expect(messages).toHaveLength(1)
  })

  it('cuts off a receiver that hangs when its time is over', async () => {
    send = (_message, signal) =>
      new Promise((resolve) => {
        signal?.addEventListener('abort', () => resolve({ isSent: false, answer: 'cut off by the stop' }))
      })
    die('evt_1')
    await pass(0)
    alerts.onReconciled(new Map([['payout.failed', { found: 1, missing: 1, added: 1 }]]))
    let isOver = false
    const stopping = alerts.stop(250).then(() => {
      isOver = true
    })
    await pass(249)
    expect(isOver).toBe(false)
    await pass(1)
    await stopping
    expect(messages).toHaveLength(1)
  })
})
