import { describe, expect, it } from 'vitest'
import { eventDied, type News, storeBack, storeDown, undelivered } from '../../src/alerts/news.ts'
import { createPace, type Pace } from '../../src/alerts/pace.ts'

const MINUTE = 60_000
const died = (eventId: string, { type = 'payout.failed', error = 'card gateway timed out' } = {}) =>
  eventDied({ eventId, type }, error)

/** Takes and tells all that is due, and gives the sentences. */
function tellAll(pace: Pace, now: number): string[] {
  const told: string[] = []
  for (let due = pace.take(now); due !== undefined; due = pace.take(now)) {
    told.push(due.news.tell(due.sum).sentence)
    pace.onTried(due, true, now)
  }
  return told
}

function paceWith(now: number, ...news: News[]): Pace {
  const pace = createPace()
  for (const each of news) pace.add(each, now)
  return pace
}

describe('a cause', () => {
  it('is told of at once, and then at most once a minute with what came since', () => {
    const pace = paceWith(0, died('evt_1'))
    expect(pace.dueAt()).toBe(0)
    expect(tellAll(pace, 0)).toEqual(['payout.failed: 1 event died, evt_1: `card gateway timed out`'])
    expect(pace.dueAt()).toBeUndefined()
    for (let id = 2; id <= 13; id += 1) pace.add(died(`evt_${id}`), id)
    expect(pace.dueAt()).toBe(MINUTE)
    expect(tellAll(pace, MINUTE - 1)).toEqual([])
    expect(tellAll(pace, MINUTE)).toEqual([
      'payout.failed: 12 more events died, the last evt_13: `card gateway timed out`',
    ])
    pace.add(died('evt_14'), MINUTE + 1)
    expect(pace.dueAt()).toBe(2 * MINUTE)
  })

  it('is new once a minute passed in which nothing came', () => {
    const pace = paceWith(0, died('evt_1'))
    tellAll(pace, 0)
    pace.add(died('evt_2'), MINUTE)
    expect(tellAll(pace, MINUTE)).toEqual([expect.stringContaining(': 1 event died, evt_2')])
  })

  it('is the type with the first line of the reason, but for ids in it', () => {
    const pace = paceWith(
      0,
      died('evt_1', { error: 'no payout po_1A2b3C4d5E\nat one' }),
      died('evt_2', { error: 'no payout po_9Z8y7X6w5V\nat another' }),
      died('evt_3', { error: 'answered 404' }),
      died('evt_4', { error: 'answered 500' }),
      died('evt_5', { error: 'answered 500', type: 'payout.paid' }),
    )
    expect(tellAll(pace, 0)).toEqual([
      'payout.failed: 2 events died, the last evt_2: `no payout po_9Z8y7X6w5V`',
      'payout.failed: 1 event died, evt_3: `answered 404`',
      'payout.failed: 1 event died, evt_4: `answered 500`',
      'payout.paid: 1 event died, evt_5: `answered 500`',
    ])
  })
})

describe('memory is bounded', () => {
  it('by what is told apart: further causes are told as one, and do not crowd out other kinds', () => {
    const pace = createPace()
    for (let index = 0; index < 5_000; index += 1)
      pace.add(died(`evt_${index}`, { type: `type.a${index}`, error: '<!channel>' }), 0)
    pace.add(undelivered({ 'payout.paid': 2 }), 0)
    const due = Array.from({ length: 22 }, () => pace.take(0))
    expect(pace.take(0)).toBeUndefined()
    const mixed = due.find((each) => each?.sum.isMixed)
    if (mixed === undefined) throw new Error('expected the rest as one')
    expect(mixed.sum).toMatchObject({
      total: 4_980,
      eventIds: [4_995, 4_996, 4_997, 4_998, 4_999].map((n) => `evt_${n}`),
    })
    expect(Object.keys(mixed.sum.counts)).toHaveLength(21)
    expect(mixed.sum.counts.other).toBe(4_960)
    expect(mixed.news.tell(mixed.sum).sentence).toBe(
      '4980 events died for various other reasons, the last evt_4999 (type.a4999): `&lt;!channel&gt;`',
    )
    expect(due.map((each) => each?.news.kind)).toContain('undelivered')
  })

  it('and frees what is over', () => {
    const pace = createPace()
    for (let minute = 0; minute < 100; minute += 1) {
      const now = 2 * minute * MINUTE
      pace.add(died('evt_1', { type: `type.a${minute}` }), now)
      expect(tellAll(pace, now)).toEqual([`type.a${minute}: 1 event died, evt_1: \`card gateway timed out\``])
    }
  })
})

describe('what is told in vain', () => {
  /** Tries once. */
  function tryInVain(pace: Pace, now: number): boolean {
    const due = pace.take(now)
    if (due === undefined) throw new Error(`expected something to be due at ${now}`)
    return pace.onTried(due, false, now)
  }

  it('is tried again after a minute, together with what came since, and nothing else meanwhile', () => {
    const pace = paceWith(0, died('evt_1'))
    expect(tryInVain(pace, 0)).toBe(true)
    pace.add(died('evt_2'), 10)
    pace.add(undelivered({ 'payout.paid': 1 }), 20)
    expect(pace.dueAt()).toBe(MINUTE)
    expect(tellAll(pace, MINUTE - 1)).toEqual([])
    expect(tellAll(pace, MINUTE)).toEqual([
      'Stripe could not deliver 1 event, which reconcile has added: payout.paid 1',
      'payout.failed: 2 events died, the last evt_2: `card gateway timed out`',
    ])
  })

  it('is kept, whatever comes while it is being told', () => {
    const pace = paceWith(0, storeDown(MINUTE, 3))
    const due = pace.take(0)
    if (due === undefined) throw new Error('expected the store')
    pace.add(died('evt_1'), 1)
    pace.onTried(due, false, 2)
    expect(tellAll(pace, 2 * MINUTE)).toEqual([
      expect.stringContaining('evt_1'),
      expect.stringContaining('the store has been down'),
    ])
  })

  it.each([
    ['an event', died('evt_1')],
    ['the store', storeDown(MINUTE, 3)],
  ])('is given up after five tries: %s', (_name, news) => {
    const pace = paceWith(0, news)
    const kept = [0, 1, 2, 3, 4].map((minute) => tryInVain(pace, minute * MINUTE))
    expect(kept).toEqual([true, true, true, true, false])
    expect(pace.dueAt()).toBeUndefined()
    pace.add(news, 4 * MINUTE)
    expect(tryInVain(pace, 5 * MINUTE)).toBe(true)
  })

  it('of the store, gives way to what came after it, however many causes there are', () => {
    const pace = paceWith(0, storeDown(MINUTE, 3))
    tryInVain(pace, 0)
    for (let index = 0; index < 30; index += 1) pace.add(died('evt_1', { type: `type.a${index}` }), 1)
    pace.add(storeBack(90_000, 7), 30_000)
    const told = tellAll(pace, MINUTE)
    expect(told).toHaveLength(22)
    expect(told.filter((sentence) => sentence.startsWith('the store'))).toEqual([
      'the store is back after 90 s; deliveries answered 503 meanwhile, which Stripe sends again: 7',
    ])
  })
})
