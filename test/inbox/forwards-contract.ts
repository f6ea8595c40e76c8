import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NewEntry, NewForward } from '../../src/event.ts'
import type { ForwardLease, ForwardOutcome, ForwardState, TargetState } from '../../src/inbox/forwards.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { newEntry } from '../support/new-entry.ts'
import type { StoreUnderTest } from './inbox-contract.ts'

const LEASE = { leaseMs: 60_000 }
const DAY = 86_400_000
const delivered: ForwardOutcome = { state: 'delivered', status: 200, answer: null }
const failed = { error: 'answered 500', status: 500, answer: 'no' } as const
const atOnce: ForwardOutcome = { state: 'pending', retryInMs: 0, ...failed }
const later = { state: 'pending', retryInMs: 60_000, ...failed } as const satisfies ForwardOutcome
const dead: ForwardOutcome = { state: 'dead', ...failed }

/** What any store does with forwards, clause by clause; each store's test runs it. */
export function describeForwards(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name}, forwards`, () => {
    let store: StoreUnderTest
    let inbox: Inbox
    beforeEach(async () => {
      store = await open()
      inbox = store.inbox
    })
    afterEach(() => store.remove())

    const to = (...targets: string[]): { forwards: NewForward[] } => ({
      forwards: targets.map((target) => ({ target, hops: 1, held: null })),
    })
    /** To targets that keep the order of that lane. */
    const inOrder = (lane: string, ...targets: string[]): Pick<NewEntry, 'lane' | 'forwards'> => ({
      lane,
      forwards: targets.map((target) => ({ target, hops: 1, held: null, order: 'lane' })),
    })
    async function add(overrides: Partial<NewEntry>): Promise<NewEntry> {
      const entry = newEntry(overrides)
      await inbox.add(entry)
      return entry
    }
    /** Their ids, in order of arrival. */
    async function addMany(count: number, overrides: Partial<NewEntry>): Promise<string[]> {
      const [entry] = await Promise.all(Array.from({ length: count }, () => add({ objectId: 'pi_1', ...overrides })))
      return (await inbox.lane(entry?.eventId ?? '', count)).map(({ eventId }) => eventId)
    }
    const claim = (target: string, limit = 10) => inbox.forwards.claim({ ...LEASE, wanted: [{ target, limit }] })
    const idsOf = (leases: readonly ForwardLease[]) => leases.map(({ entry }) => entry.eventId)
    async function claimOne(target = 'shop'): Promise<ForwardLease> {
      const [lease, ...more] = await claim(target)
      expect(more).toEqual([])
      if (lease === undefined) throw new Error('nothing was due')
      return lease
    }
    const forwardsOf = async (eventId: string) => (await inbox.get(eventId))?.forwards ?? []
    const forwardOf = async (eventId: string) => {
      const [forward, ...more] = await forwardsOf(eventId)
      expect(more).toEqual([])
      return forward
    }

    it('are stored with their entry, due at once, and hold what is sent', async () => {
      const entry = await add({
        ...to('shop', 'books'),
        account: 'acct_1',
        body: Buffer.from([0x7b, 0x00, 0xff, 0x7d]),
      })
      expect(await forwardsOf(entry.eventId)).toMatchObject([
        { target: 'books', state: 'pending', attempts: 0, replays: 0, settledAt: null, reason: null, history: [] },
        { target: 'shop', state: 'pending' },
      ])
      const lease = await claimOne('shop')
      expect(lease).toMatchObject({
        target: 'shop',
        entry: { eventId: entry.eventId, type: entry.type, account: 'acct_1', receivedAt: expect.any(Date) },
        hops: 1,
        attempt: 1,
      })
      expect(Buffer.from(lease.body ?? [])).toEqual(entry.body)
      expect(await forwardsOf(entry.eventId)).toMatchObject([{ state: 'pending' }, { state: 'running', attempts: 1 }])
    })

    it('are those of the first delivery alone, and none where none are given', async () => {
      const entry = await add(to('shop'))
      expect(await inbox.add({ ...entry, ...to('shop', 'books') })).toBe('duplicate')
      expect((await forwardsOf(entry.eventId)).map(({ target }) => target)).toEqual(['shop'])
      expect(await forwardsOf((await add({})).eventId)).toEqual([])
      expect(await forwardsOf((await add({ forwards: [] })).eventId)).toEqual([])
    })

    it('of a hundred added at once are all there, beside entries without any', async () => {
      const entries = Array.from({ length: 100 }, (_, index) => newEntry(index % 2 === 0 ? to('shop') : {}))
      await Promise.all(entries.map((entry) => inbox.add(entry)))
      const leased = idsOf(await claim('shop', 200))
      expect(new Set(leased)).toEqual(new Set(entries.filter(({ forwards }) => forwards).map(({ eventId }) => eventId)))
    })

    it('are leased once, oldest first, within the limit, each target for itself', async () => {
      const entries = [await add(to('shop', 'books')), await add(to('shop')), await add(to('shop', 'books'))]
      const [first, second, third] = entries.map(({ eventId }) => eventId)
      expect(idsOf(await claim('shop', 2))).toEqual([first, second])
      expect(idsOf(await claim('shop', 2))).toEqual([third])
      expect(await claim('shop')).toEqual([])
      const wanted = ['books', 'shop', 'none'].map((target) => ({ target, limit: 1 }))
      expect(idsOf(await inbox.forwards.claim({ ...LEASE, wanted }))).toEqual([first])
    })

    it('wait for no handler, and no handler for them', async () => {
      const entry = await add({ ...to('shop'), lane: '/x' })
      const [lease] = await inbox.claim({ ...LEASE, limit: 1 })
      expect(lease).toMatchObject({ entry: { eventId: entry.eventId }, isForwarded: true })
      await inbox.forwards.settle(await claimOne(), delivered)
      expect(await forwardOf(entry.eventId)).toMatchObject({ state: 'delivered', settledAt: expect.any(Date) })
      expect((await inbox.get(entry.eventId))?.entry.state).toBe('running')
      await add({})
      expect(await inbox.claim({ ...LEASE, limit: 1 })).toMatchObject([{ isForwarded: false }])
    })

    it('keep what came of each attempt', async () => {
      const { eventId } = await add(to('shop'))
      expect(await inbox.forwards.settle(await claimOne(), atOnce)).toBe(true)
      const second = await claimOne()
      expect(second).toMatchObject({ attempt: 2, isLastLost: false })
      expect(await inbox.forwards.settle(second, delivered)).toBe(true)
      expect(await forwardOf(eventId)).toMatchObject({
        state: 'delivered',
        reason: null,
        history: [
          { number: 1, replay: 0, outcome: 'retried', status: 500, error: 'answered 500', answer: 'no' },
          { number: 2, outcome: 'delivered', status: 200, error: null, answer: null },
        ],
      })
    })

    it('are due again after their delay, and never once dead', async () => {
      const { eventId } = await add(to('shop', 'books'))
      await inbox.forwards.settle(await claimOne(), later)
      expect(await claim('shop')).toEqual([])
      expect((await forwardsOf(eventId))[1]).toMatchObject({
        state: 'pending',
        reason: 'answered 500',
        settledAt: null,
      })
      await inbox.forwards.settle(await claimOne('books'), dead)
      expect(await claim('books')).toEqual([])
      expect((await forwardsOf(eventId))[0]).toMatchObject({ state: 'dead', settledAt: expect.any(Date) })
    })

    it('are settled once: a lease that was lost settles nothing', async () => {
      await add(to('shop'))
      const lease = await claimOne()
      expect(await inbox.forwards.settle(lease, atOnce)).toBe(true)
      expect(await inbox.forwards.settle(lease, delivered)).toBe(false)
      const twice = await claimOne()
      const results = [inbox.forwards.settle(twice, dead), inbox.forwards.settle(twice, delivered)]
      expect(await Promise.all(results)).toEqual([true, false])
    })

    it('take any text as the reason and the answer', async () => {
      const { eventId } = await add({ forwards: [{ target: 'shop', hops: 2, held: 'a\0b\ud800' }] })
      expect(await forwardOf(eventId)).toMatchObject({ state: 'held', reason: expect.stringMatching(/^a.b.$/u) })
      await add(to('books'))
      const outcome: ForwardOutcome = { ...later, error: 'x\0', answer: '\ud800' }
      expect(await inbox.forwards.settle(await claimOne('books'), outcome)).toBe(true)
    })

    it('that are held wait for a replay', async () => {
      const { eventId } = await add({ forwards: [{ target: 'shop', hops: 1, held: 'its where threw' }] })
      expect(await claim('shop')).toEqual([])
      expect(await inbox.forwards.replay('shop', [eventId], ['dead'])).toEqual([])
      expect(await inbox.forwards.replay('shop', [eventId], ['held'])).toEqual([eventId])
      expect((await claimOne()).entry.eventId).toBe(eventId)
    })

    it('start over when they are replayed, but those that run', async () => {
      const { eventId } = await add(to('shop'))
      const first = await claimOne()
      expect(await inbox.forwards.replay('shop', [eventId], ['running', 'pending'])).toEqual([])
      await inbox.forwards.settle(first, dead)
      expect(await inbox.forwards.replay('books', [eventId], ['dead'])).toEqual([])
      expect(await inbox.forwards.replay('shop', [eventId, 'evt_none'], ['dead'])).toEqual([eventId])
      const again = await claimOne()
      expect(again.attempt).toBe(1)
      await inbox.forwards.settle(again, later)
      expect(await forwardOf(eventId)).toMatchObject({ replays: 1, history: [{ replay: 0 }, { replay: 1 }] })
      expect(await inbox.forwards.replay('shop', [eventId], ['pending'])).toEqual([eventId])
      expect((await claimOne()).attempt).toBe(2)
    })

    it('that wait for a retry are due now when they are hastened, the soonest first and within the limit', async () => {
      const ids: string[] = []
      for (let n = 1; n <= 4; n += 1) {
        const { eventId } = await add(to('shop'))
        await inbox.forwards.settle(await claimOne(), { ...later, retryInMs: (5 - n) * 60_000 })
        ids.push(eventId)
      }
      await add(to('books'))
      await inbox.forwards.settle(await claimOne('books'), later)
      const { eventId: gone } = await add(to('shop'))
      await inbox.forwards.settle(await claimOne(), dead)
      const due = await add(to('shop'))
      expect(await inbox.forwards.hasten('shop', 3)).toBe(3)
      const leases = await claim('shop')
      expect(idsOf(leases).toSorted()).toEqual([...ids.slice(1), due.eventId].toSorted())
      expect(leases.find(({ entry }) => entry.eventId === ids[1])).toMatchObject({ attempt: 2 })
      expect(await inbox.forwards.hasten('shop', 3)).toBe(1)
      expect((await claimOne()).entry.eventId).toBe(ids[0])
      expect(await inbox.forwards.hasten('shop', 3)).toBe(0)
      expect(await forwardOf(gone)).toMatchObject({ state: 'dead' })
      expect(await claim('books')).toEqual([])
    })

    it('that are added later and held keep what of the reason can be kept', async () => {
      const { eventId } = await add({})
      const held = 'a\0b\ud800'
      expect(await inbox.forwards.add([{ eventId, target: 'shop', hops: 1, held }])).toEqual([eventId])
      expect(await forwardOf(eventId)).toMatchObject({ state: 'held', reason: expect.stringMatching(/^a.b.$/u) })
    })

    it('can be added later, to entries that are here', async () => {
      const entry = await add(to('shop'))
      const [lease] = await inbox.claim({ ...LEASE, limit: 1 })
      if (lease === undefined) throw new Error('nothing was due')
      await inbox.settle(lease, { state: 'unhandled' })
      const late = [
        ...['shop', 'books'].map((target) => ({ eventId: entry.eventId, target, hops: 1, held: null })),
        { eventId: 'evt_none', target: 'books', hops: 1, held: null },
      ]
      expect(await inbox.forwards.add(late)).toEqual([entry.eventId])
      expect((await forwardsOf(entry.eventId)).map(({ target }) => target)).toEqual(['books', 'shop'])
      expect((await inbox.get(entry.eventId))?.entry).toMatchObject({
        state: 'handled',
        reason: expect.stringMatching(/^forwarded/),
      })
      expect((await claimOne('books')).entry.eventId).toBe(entry.eventId)
    })

    it('of a process that is gone are due again, and the attempt counts as lost', async () => {
      const { eventId } = await add(to('shop'))
      const lost = await claimOne()
      inbox = await store.loseProcess()
      const again = await claimOne()
      expect(again).toMatchObject({ attempt: 2, isLastLost: true, entry: { eventId } })
      expect(await inbox.forwards.settle(lost, delivered)).toBe(false)
      expect((await forwardOf(eventId))?.history).toMatchObject([{ number: 1, outcome: 'lost', status: null }])
    })

    it('keep their entry and its body until they are delivered', async () => {
      const policy = { bodiesAfterMs: DAY, entriesAfterMs: DAY, limit: 100 }
      const entries = [await add(to('shop')), await add(to('books')), await add({})]
      for (const lease of await inbox.claim({ ...LEASE, limit: 10 })) await inbox.settle(lease, { state: 'handled' })
      await inbox.forwards.settle(await claimOne('shop'), dead)
      await inbox.forwards.settle(await claimOne('books'), delivered)
      await store.age(2 * DAY)
      await add({})
      expect(await inbox.prune(policy)).toMatchObject({ bodies: 2, entries: 2 })
      const [kept, gone] = entries.map(({ eventId }) => eventId)
      expect((await inbox.get(kept ?? ''))?.body).not.toBeNull()
      expect(await inbox.get(gone ?? '')).toBeUndefined()
      expect(await inbox.forwards.replay('shop', [kept ?? ''], ['dead'])).toEqual([kept])
      await inbox.forwards.settle(await claimOne('shop'), delivered)
      expect(await inbox.prune(policy)).toMatchObject({ bodies: 1, entries: 1 })
      expect(await inbox.forwards.list({ target: 'shop' }, { limit: 10 })).toEqual([])
    })

    it('are dropped in the states that are named, never while they run, and then keep nothing', async () => {
      const policy = { bodiesAfterMs: DAY, entriesAfterMs: DAY, limit: 100 }
      const entries = [1, 2, 3, 4].map(() => add(to('shop', 'books')))
      const ids = (await Promise.all(entries)).map(({ eventId }) => eventId)
      for (const lease of await inbox.claim({ ...LEASE, limit: 10 })) await inbox.settle(lease, { state: 'handled' })
      const [first, second, third] = await claim('shop', 3)
      for (const lease of await claim('books')) await inbox.forwards.settle(lease, delivered)
      await inbox.forwards.settle(first ?? expect.unreachable(), dead)
      await inbox.forwards.settle(second ?? expect.unreachable(), later)
      const drop = (...states: ForwardState[]) => inbox.forwards.drop('shop', [...ids, 'evt_none'], states, 'no use')
      expect(await drop('dead', 'held', 'delivered')).toEqual([first?.entry.eventId])
      const dropped = (await forwardsOf(first?.entry.eventId ?? '')).find(({ target }) => target === 'shop')
      expect(dropped).toMatchObject({ state: 'dropped', reason: 'no use', settledAt: expect.any(Date) })
      expect(dropped?.history).toMatchObject([{ outcome: 'dead', error: 'answered 500' }])
      expect((await inbox.forwards.causes('shop')).map(({ state }) => state)).not.toContain('dropped')
      expect(await drop('pending', 'running', 'dropped')).toHaveLength(2)
      expect(await claim('shop')).toEqual([])
      expect(await inbox.forwards.counts()).toMatchObject([{ target: 'shop', state: 'running', forwards: 1 }])
      await inbox.forwards.settle(third ?? expect.unreachable(), delivered)
      const [again] = await inbox.forwards.replay('shop', [first?.entry.eventId ?? ''], ['dropped'])
      expect(again).toBe(first?.entry.eventId)
      expect(idsOf(await claim('shop'))).toEqual([again])
      await store.age(2 * DAY)
      await add({})
      expect(await inbox.prune(policy)).toMatchObject({ bodies: 3, entries: 3 })
    })

    it('are listed by target, state and age, newest first, page by page', async () => {
      const old = await add(to('shop'))
      await store.age(2 * DAY)
      const [second, third] = [await add(to('shop', 'books')), await add(to('shop'))]
      await inbox.forwards.settle(await claim('shop', 1).then(([lease]) => lease ?? expect.unreachable()), dead)
      const list = async (...given: Parameters<Inbox['forwards']['list']>) =>
        (await inbox.forwards.list(...given)).map(({ eventId }) => eventId)
      const all = [third.eventId, second.eventId, old.eventId]
      expect(await list({ target: 'shop' }, { limit: 10 })).toEqual(all)
      expect(await list({ target: 'shop' }, { limit: 2 })).toEqual(all.slice(0, 2))
      expect(await list({ target: 'shop' }, { limit: 2, before: second.eventId })).toEqual([old.eventId])
      expect(await list({ target: 'shop', receivedWithinMs: DAY }, { limit: 10 })).toEqual(all.slice(0, 2))
      expect(await list({ target: 'shop', states: ['dead'] }, { limit: 10 })).toHaveLength(1)
      expect(await list({ target: 'books' }, { limit: 10 })).toEqual([second.eventId])
    })

    describe('to targets that keep the order of lanes', () => {
      it('run one at a time and in order of arrival; other lanes and targets go on', async () => {
        const [first, second] = [await add(inOrder('/A', 'shop', 'books')), await add(inOrder('/A', 'shop', 'books'))]
        const [other, unordered] = [await add(inOrder('/B', 'shop')), await add({ ...to('shop'), lane: '/A' })]
        const leases = await claim('shop')
        expect(idsOf(leases)).toEqual([first.eventId, other.eventId, unordered.eventId])
        expect(leases.map(({ lane }) => lane)).toEqual(['/A', '/B', null])
        expect(idsOf(await claim('books'))).toEqual([first.eventId])
        expect(await claim('shop')).toEqual([])
        for (const lease of leases) expect(await inbox.forwards.settle(lease, delivered)).toBe(true)
        expect((await claimOne()).entry.eventId).toBe(second.eventId)
        expect(await claim('books')).toEqual([])
      })

      it('wait for one that is retried, and for none that is dead or held', async () => {
        const [first, second] = [await add(inOrder('/A', 'shop')), await add(inOrder('/A', 'shop'))]
        await add({ ...inOrder('/A'), forwards: [{ target: 'shop', hops: 1, held: 'its where threw', order: 'lane' }] })
        const last = await add(inOrder('/A', 'shop'))
        await inbox.forwards.settle(await claimOne(), later)
        expect(await claim('shop')).toEqual([])
        await inbox.forwards.replay('shop', [first.eventId], ['pending'])
        await inbox.forwards.settle(await claimOne(), dead)
        const next = await claimOne()
        expect(next.entry.eventId).toBe(second.eventId)
        await inbox.forwards.settle(next, delivered)
        expect((await claimOne()).entry.eventId).toBe(last.eventId)
      })

      it('keep it when they are hastened', async () => {
        const [first = '', second = ''] = await addMany(2, inOrder('/A', 'shop'))
        await inbox.forwards.settle(await claimOne(), later)
        expect(await claim('shop')).toEqual([])
        expect(await inbox.forwards.hasten('shop', 10)).toBe(1)
        for (const eventId of [first, second]) {
          const lease = await claimOne()
          expect(lease.entry.eventId).toBe(eventId)
          await inbox.forwards.settle(lease, delivered)
        }
      })

      it('go on when what they wait for is dropped', async () => {
        const [first = '', second = '', third = ''] = await addMany(3, inOrder('/A', 'shop'))
        await inbox.forwards.settle(await claimOne(), later)
        expect(await claim('shop')).toEqual([])
        expect(await inbox.forwards.drop('shop', [first], ['pending'], 'no use')).toEqual([first])
        const running = await claimOne()
        expect(running.entry.eventId).toBe(second)
        expect(await claim('shop')).toEqual([])
        expect(await inbox.forwards.drop('shop', [third], ['pending'], 'no use')).toEqual([third])
        await inbox.forwards.settle(running, delivered)
        expect(await claim('shop')).toEqual([])
        expect(await inbox.forwards.replay('shop', [third], ['dropped'])).toEqual([third])
        expect((await claimOne()).entry.eventId).toBe(third)
      })

      it('run beside none of their lane when they are replayed, nor does a later one then', async () => {
        const [first = '', second = '', third = ''] = await addMany(3, inOrder('/A', 'shop'))
        await inbox.forwards.settle(await claimOne(), dead)
        const running = await claimOne()
        expect(running.entry.eventId).toBe(second)
        expect(await inbox.forwards.replay('shop', [first], ['dead'])).toEqual([first])
        const other = await add(inOrder('/B', 'shop'))
        expect(idsOf(await claim('shop'))).toEqual([other.eventId])
        await inbox.forwards.settle(running, later)
        const again = await claimOne()
        expect(again.entry.eventId).toBe(first)
        await inbox.forwards.settle(again, delivered)
        expect(await claim('shop')).toEqual([])
        await inbox.forwards.replay('shop', [second], ['pending'])
        await inbox.forwards.settle(await claimOne(), delivered)
        expect((await claimOne()).entry.eventId).toBe(third)
      })

      it('go on, and in order, when the process is gone that ran one', async () => {
        const [first = '', second = '', third = ''] = await addMany(3, inOrder('/A', 'shop'))
        await inbox.forwards.settle(await claimOne(), dead)
        await claimOne()
        await inbox.forwards.replay('shop', [first], ['dead'])
        expect(await claim('shop')).toEqual([])
        inbox = await store.loseProcess()
        for (const eventId of [first, second, third]) {
          const lease = await claimOne()
          expect(lease.entry.eventId).toBe(eventId)
          await inbox.forwards.settle(lease, delivered)
        }
      })

      it('are in order of arrival when they were added later, in whatever order', async () => {
        const order = await addMany(3, { lane: '/A' })
        for (const eventId of order.toReversed()) {
          await inbox.forwards.add([{ eventId, target: 'shop', hops: 1, held: null, order: 'lane' }])
          if (eventId === order[1]) expect((await claimOne()).entry.eventId).toBe(eventId)
        }
      })

      it('hold up no other lane, however many wait, and are due once it is their turn', async () => {
        const order = await addMany(600, inOrder('/A', 'shop'))
        const first = await claim('shop', 1)
        const free = await add(inOrder('/B', 'shop'))
        expect(idsOf(first)).toEqual([order[0]])
        expect(idsOf(await claim('shop', 1))).toEqual([free.eventId])
        expect(await claim('shop', 1)).toEqual([])
        const pending = (await inbox.forwards.counts()).find(({ state }) => state === 'pending')
        expect(pending).toMatchObject({ forwards: 599, oldestMs: expect.any(Number) })
        let [lease] = first
        for (const eventId of order.slice(1, 5)) {
          await inbox.forwards.settle(lease ?? expect.unreachable(), delivered)
          lease = await claimOne()
          expect(lease.entry.eventId).toBe(eventId)
        }
      })
    })

    it('are counted by target and state, with how long the event of the first that waits has been here', async () => {
      await add(to('shop'))
      await add(to('shop', 'books'))
      await add(to('shop'))
      const [one, other] = await claim('shop', 2)
      if (one === undefined || other === undefined) throw new Error('two were due')
      await inbox.forwards.settle(one, delivered)
      await inbox.forwards.settle(other, later)
      await inbox.forwards.settle(await claimOne('books'), dead)
      const counts = await inbox.forwards.counts()
      const told = counts.map(({ target, state, forwards }) => `${target} ${state} ${forwards}`)
      expect(told.toSorted()).toEqual(['books dead 1', 'shop pending 2'])
      const pending = counts.find(({ state }) => state === 'pending')
      expect(pending?.oldestMs).toBeLessThan(DAY)
      expect(counts.find(({ state }) => state === 'dead')?.oldestMs).toBeNull()
      await store.age(2 * DAY)
      await inbox.forwards.replay('shop', [other.entry.eventId], ['pending'])
      const [again] = await claim('shop', 1)
      await inbox.forwards.settle(again ?? expect.unreachable(), later)
      await add(to('shop', 'books'))
      const oldestOf = async (target: string) =>
        (await inbox.forwards.counts()).find((count) => count.target === target && count.state === 'pending')?.oldestMs
      expect(await oldestOf('shop')).toBeGreaterThanOrEqual(2 * DAY)
      expect(await oldestOf('books')).toBeLessThan(DAY)
    })

    it('that failed are grouped by state and reason, most first, with when the last was', async () => {
      const before = Date.now() - 1_000
      for (let n = 0; n < 3; n += 1) await add(to('shop', 'books'))
      const [one, two, third] = await claim('shop')
      const timeOut = { state: 'dead', error: 'no answer: ECONNREFUSED', status: null, answer: null } as const
      await inbox.forwards.settle(one ?? expect.unreachable(), dead)
      await inbox.forwards.settle(two ?? expect.unreachable(), dead)
      await inbox.forwards.settle(third ?? expect.unreachable(), timeOut)
      await inbox.forwards.settle((await claim('books'))[0] ?? expect.unreachable(), delivered)
      await add(to('shop'))
      await inbox.forwards.settle(await claimOne(), later)
      await add({ forwards: [{ target: 'shop', hops: 1, held: 'its where threw' }] })
      const causes = await inbox.forwards.causes('shop')
      expect(causes[0]).toEqual({ state: 'dead', reason: 'answered 500', forwards: 2, newestAt: expect.any(Date) })
      const told = causes.map(({ state, reason, forwards }) => `${forwards} ${state} ${reason}`)
      expect(told.toSorted()).toEqual([
        '1 dead no answer: ECONNREFUSED',
        '1 held its where threw',
        '1 pending answered 500',
        '2 dead answered 500',
      ])
      for (const { newestAt } of causes) expect(newestAt.getTime()).toBeGreaterThan(before)
      expect(await inbox.forwards.causes('books')).toEqual([])
      const found = await inbox.forwards.list({ target: 'shop', reason: 'answered 500' }, { limit: 10 })
      expect(found.map(({ state }) => state)).toEqual(['pending', 'dead', 'dead'])
      expect(await inbox.forwards.list({ target: 'shop', reason: 'answered' }, { limit: 10 })).toEqual([])
    })

    it('tell how the last attempts of their target ended, newest first', async () => {
      const first = await add(to('shop', 'books'))
      await inbox.forwards.settle(await claimOne(), atOnce)
      await inbox.forwards.settle(await claimOne(), delivered)
      const second = await add({ ...to('shop'), type: 'payout.paid' })
      await add(to('shop', 'books'))
      await inbox.forwards.settle((await claim('shop', 1))[0] ?? expect.unreachable(), dead)
      const attempts = await inbox.forwards.lastAttempts('shop', 10)
      expect(new Set(attempts.map(({ eventId, number, outcome }) => `${eventId} ${number} ${outcome}`))).toEqual(
        new Set([`${second.eventId} 1 dead`, `${first.eventId} 2 delivered`, `${first.eventId} 1 retried`]),
      )
      const endings = attempts.map(({ endedAt }) => endedAt.getTime())
      expect(endings).toEqual(endings.toSorted((one, other) => other - one))
      expect(attempts.find(({ eventId }) => eventId === second.eventId)).toMatchObject({
        ...{ type: 'payout.paid', replay: 0, status: 500, error: 'answered 500', answer: 'no' },
        startedAt: expect.any(Date),
      })
      expect(await inbox.forwards.lastAttempts('shop', 2)).toHaveLength(2)
      expect(await inbox.forwards.lastAttempts('books', 10)).toEqual([])
    })

    it("keep their target's state, and of two who change it at once only the first does", async () => {
      const hold = { who: 'ada', reason: 'a\0b\ud800', at: 7 }
      const state = { hold, failures: 1, failingSince: 5, open: null, pausedUntil: null } satisfies TargetState
      expect(await inbox.forwards.states()).toEqual([])
      expect(await inbox.forwards.writeState('shop', state, 0)).toBe(true)
      expect(await inbox.forwards.writeState('shop', { ...state, failures: 9 }, 0)).toBe(false)
      expect(await inbox.forwards.states()).toEqual([{ target: 'shop', state, version: 1 }])
      const results = [2, 3].map((failures) => inbox.forwards.writeState('shop', { ...state, failures }, 1))
      expect((await Promise.all(results)).toSorted()).toEqual([false, true])
      expect(await inbox.forwards.writeState('books', state, 1)).toBe(false)
      inbox = await store.reopen()
      expect(await inbox.forwards.states()).toMatchObject([{ target: 'shop', version: 2 }])
    })
  })
}
