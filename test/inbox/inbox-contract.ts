import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Lease, NewEntry, Outcome } from '../../src/event.ts'
import {
  type EntryFilter,
  type Inbox,
  type Page,
  type Pruned,
  type PrunePolicy,
  SEARCHED,
} from '../../src/inbox/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { newEntry } from '../support/new-entry.ts'

/** An empty store under test. */
export interface StoreUnderTest {
  readonly inbox: Inbox
  /** Closes it and opens what it left. */
  reopen(): Promise<Inbox>
  /** Loses the process that holds all leases; gives the store as another process has it then. */
  loseProcess(): Promise<Inbox>
  /** Makes all that is here older by so much, or what has that id: as if the clock had run ahead since. */
  age(ms: number, eventId?: string): Promise<void>
  /** Makes it as if so many entries had come and gone between this one, the newest, and the one before it. */
  leaveGap(entries: number): Promise<void>
  /** Closes what is open and removes it. */
  remove(): Promise<void>
}

const LEASE = { leaseMs: 60_000 }
const DAY = 86_400_000
const later = { state: 'pending', retryInMs: 60_000, error: 'not yet' } as const

/** What any store does, clause by clause; each store's test runs it. */
export function describeInbox(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} as an inbox`, () => {
    let store: StoreUnderTest
    let inbox: Inbox
    beforeEach(async () => {
      store = await open()
      inbox = store.inbox
    })
    afterEach(() => store.remove())

    const claim = (limit = 10) => inbox.claim({ ...LEASE, limit })
    const claimIds = async (limit = 10) => (await claim(limit)).map((lease) => lease.entry.eventId)
    const stateOf = async (eventId: string) => (await inbox.get(eventId))?.entry.state

    async function claimOne(): Promise<Lease> {
      const [lease, ...more] = await claim()
      expect(more).toEqual([])
      if (lease === undefined) throw new Error('nothing was due')
      return lease
    }

    describe('add', () => {
      it('keeps the facts and the exact bytes', async () => {
        const body = Buffer.from([0x7b, 0x00, 0xff, 0xfe, 0x7d])
        const entry = newEntry({
          account: 'acct_1',
          livemode: null,
          apiVersion: null,
          createdAt: null,
          route: 'connect',
          body,
        })
        expect(await inbox.add(entry)).toBe('added')
        const found = await inbox.get(entry.eventId)
        const { body: _body, state: _state, reason: _reason, ...facts } = entry
        expect(found?.entry).toMatchObject({
          ...facts,
          state: 'pending',
          attempts: 0,
          replays: 0,
          settledAt: null,
          reason: null,
        })
        expect(Math.abs((found?.entry.receivedAt.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
        expect(Buffer.from(found?.body ?? [])).toEqual(body)
        expect(found?.attempts).toEqual([])
      })

      it('answers duplicate to a known id, and changes nothing', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        expect(await inbox.add({ ...entry, type: 'payout.failed', body: Buffer.from('other') })).toBe('duplicate')
        const found = await inbox.get(entry.eventId)
        expect(found?.entry.type).toBe(entry.type)
        expect(Buffer.from(found?.body ?? [])).toEqual(entry.body)
      })

      it('adds one of a hundred with one id at once', async () => {
        const entry = newEntry()
        const results = await Promise.all(Array.from({ length: 100 }, () => inbox.add(entry)))
        expect(results.filter((result) => result === 'added')).toHaveLength(1)
        expect((await inbox.counts()).pending).toBe(1)
      })

      it('sets a parked entry aside, with its reason', async () => {
        const entry = newEntry({ state: 'parked', reason: 'test event' })
        await inbox.add(entry)
        expect(await claim()).toEqual([])
        const found = await inbox.get(entry.eventId)
        expect(found?.entry).toMatchObject({ state: 'parked', reason: 'test event', settledAt: expect.any(Date) })
      })
    })

    describe('claim', () => {
      it('leases the oldest first, within the limit, and counts the attempt', async () => {
        const entries = [newEntry(), newEntry(), newEntry()]
        for (const entry of entries) await inbox.add(entry)
        const first = await claim(2)
        expect(first.map((lease) => lease.entry.eventId).sort()).toEqual(
          [entries[0]?.eventId, entries[1]?.eventId].sort(),
        )
        expect(first[0]?.attempt).toBe(1)
        expect(Buffer.from(first[0]?.body ?? [])).toEqual(
          entries.find((entry) => entry.eventId === first[0]?.entry.eventId)?.body,
        )
        expect(await claimIds()).toEqual([entries[2]?.eventId])
        expect(await claim()).toEqual([])
        expect((await inbox.counts()).running).toBe(3)
      })

      it('never leases two entries of one lane, in one claim or in two', async () => {
        const [a, b, other] = [newEntry({ lane: '/x' }), newEntry({ lane: '/x' }), newEntry()]
        await Promise.all([inbox.add(a), inbox.add(b), inbox.add(other)])
        const leases = await claim()
        expect(leases.map((lease) => lease.entry.lane).sort()).toEqual([other.lane, '/x'].sort())
        expect(await claim()).toEqual([])
        const inLane = leases.find((lease) => lease.entry.lane === '/x')
        if (inLane === undefined) throw new Error('no lease in the lane')
        await inbox.settle(inLane, { state: 'handled' })
        const [next] = await claim()
        expect([a.eventId, b.eventId].filter((id) => id !== inLane.entry.eventId)).toEqual([next?.entry.eventId])
      })

      it('works a lane off in order of arrival, also what came while it ran', async () => {
        const entries = [newEntry({ lane: '/x' }), newEntry({ lane: '/x' }), newEntry({ lane: '/x' })]
        await inbox.add(entries[0] ?? newEntry())
        const first = await claimOne()
        await inbox.add(entries[1] ?? newEntry())
        await inbox.add(entries[2] ?? newEntry())
        expect(await claim()).toEqual([])
        await inbox.settle(first, { state: 'handled' })
        const second = await claimOne()
        await inbox.settle(second, { state: 'unhandled' })
        const third = await claimOne()
        expect([first, second, third].map((lease) => lease.entry.eventId)).toEqual(
          entries.map((entry) => entry.eventId),
        )
      })

      it('lets the next of a lane run while a failed one waits for its retry', async () => {
        const [failing, next] = [newEntry({ lane: '/x' }), newEntry({ lane: '/x' })]
        await inbox.add(failing)
        await inbox.settle(await claimOne(), later)
        await inbox.add(next)
        expect(await claimIds()).toEqual([next.eventId])
      })

      it('runs a retry that became due while its lane was busy after the lane is free', async () => {
        const [retried, busy] = [newEntry({ lane: '/x' }), newEntry({ lane: '/x' })]
        await inbox.add(retried)
        await inbox.settle(await claimOne(), later)
        await inbox.add(busy)
        const running = await claimOne()
        expect(await inbox.replay([retried.eventId])).toEqual([retried.eventId])
        expect(await claim()).toEqual([])
        await inbox.settle(running, { state: 'handled' })
        expect(await claimIds()).toEqual([retried.eventId])
      })

      it('gives the others their turn past a lane with hundreds waiting', async () => {
        const crowd = Array.from({ length: 600 }, () => newEntry({ lane: '/crowded' }))
        await Promise.all(crowd.map((entry) => inbox.add({ ...entry, state: 'parked' })))
        for (let from = 0; from < crowd.length; from += 200)
          await inbox.replay(crowd.slice(from, from + 200).map((entry) => entry.eventId))
        const other = newEntry()
        await inbox.add(other)
        const claimed = [...(await claimIds(2)), ...(await claimIds(2))]
        expect(claimed).toContain(other.eventId)
        expect(claimed).toHaveLength(2)
      })
    })

    describe('losing a process', () => {
      const lose = async () => {
        inbox = await store.loseProcess()
      }

      it('frees what it ran, as the next attempt, and records the lost one', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        expect(await claimOne()).toMatchObject({ attempt: 1, lastFailure: null })
        await lose()
        const again = await claimOne()
        expect(again).toMatchObject({ attempt: 2, lastFailure: expect.stringContaining('process ended') })
        expect((await inbox.get(entry.eventId))?.attempts).toMatchObject([
          { number: 1, outcome: 'lost', error: again.lastFailure },
        ])
        await inbox.settle(again, { state: 'pending', retryInMs: 0, error: 'third party away' })
        expect(await claimOne()).toMatchObject({ attempt: 3, lastFailure: 'third party away' })
      })

      it('lets the next of a lane go on at once while the lost one waits', async () => {
        const [killer, next] = [newEntry({ lane: '/x' }), newEntry({ lane: '/x' })]
        await inbox.add(killer)
        await inbox.add(next)
        for (let attempt = 1; attempt <= 2; attempt += 1) {
          expect(await claimIds()).toEqual([killer.eventId])
          await lose()
        }
        // From the third loss on it waits at random, once in a million tries for nothing.
        expect(await claimIds()).toEqual([killer.eventId])
        await lose()
        expect(await claimIds()).toEqual([next.eventId])
      })

      it('goes by the losses, not by the attempts that failed', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        for (let attempt = 1; attempt <= 10; attempt += 1)
          await inbox.settle(await claimOne(), { state: 'pending', retryInMs: 0, error: 'third party away' })
        await claimOne()
        await lose()
        expect((await claimOne()).attempt).toBe(12)
      })
    })

    describe('release', () => {
      it('makes an entry due again as it was, and does not count the attempt', async () => {
        const [first, second] = [newEntry({ lane: '/x' }), newEntry({ lane: '/x' })]
        await inbox.add(first)
        const lease = await claimOne()
        await inbox.add(second)
        await inbox.release([lease])
        expect((await inbox.get(first.eventId))?.entry).toMatchObject({ state: 'pending', attempts: 0 })
        const again = await claimOne()
        expect(again).toMatchObject({ attempt: 1, entry: { eventId: first.eventId } })
        expect(await claim()).toEqual([])
        expect(await inbox.settle(again, { state: 'handled' })).toBe(true)
        expect((await inbox.get(first.eventId))?.attempts).toMatchObject([{ number: 1, outcome: 'handled' }])
        expect(await claimIds()).toEqual([second.eventId])
      })

      it('leaves what was settled or leased again alone', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        const retried = await claimOne()
        await inbox.settle(retried, { state: 'pending', retryInMs: 0, error: 'again' })
        const running = await claimOne()
        await inbox.release([retried])
        expect(await stateOf(entry.eventId)).toBe('running')
        await inbox.settle(running, { state: 'handled' })
        await inbox.release([running])
        expect((await inbox.get(entry.eventId))?.entry).toMatchObject({ state: 'handled', attempts: 2 })
      })
    })

    describe('a clock that was set back', () => {
      it('leaves due what is given back', async () => {
        await inbox.add(newEntry())
        const leases = await claim()
        await store.age(-3_600_000)
        await inbox.release(leases)
        expect(await claim()).toHaveLength(1)
      })

      it('leaves due what was replayed while it was due', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        await store.age(3_600_000)
        expect(await inbox.replay([entry.eventId])).toEqual([entry.eventId])
        await store.age(-1_800_000)
        expect(await claim()).toHaveLength(1)
      })
    })

    describe('settle', () => {
      it.each(['handled', 'unhandled'] as const)('records %s once, with the attempt', async (state) => {
        const entry = newEntry()
        await inbox.add(entry)
        const lease = await claimOne()
        expect(await inbox.settle(lease, { state })).toBe(true)
        expect(await inbox.settle(lease, { state: 'dead', error: 'late' })).toBe(false)
        const found = await inbox.get(entry.eventId)
        expect(found?.entry).toMatchObject({ state, reason: null, settledAt: expect.any(Date) })
        expect(found?.attempts).toMatchObject([{ number: 1, replay: 0, outcome: state, error: null }])
        expect(await claim()).toEqual([])
      })

      it('retries after the delay, and not before', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        await inbox.settle(await claimOne(), later)
        expect(await claim()).toEqual([])
        const found = await inbox.get(entry.eventId)
        expect(found?.entry).toMatchObject({ state: 'pending', attempts: 1, reason: 'not yet', settledAt: null })
        expect(found?.attempts).toMatchObject([{ outcome: 'retried', error: 'not yet' }])
        expect((found?.entry.dueAt.getTime() ?? 0) - Date.now()).toBeGreaterThan(50_000)
      })

      it('leases a retry once its delay is over', async () => {
        await inbox.add(newEntry())
        await inbox.settle(await claimOne(), { state: 'pending', retryInMs: 1, error: 'again' })
        const [lease] = await eventually('the retry', async () => {
          const leases = await claim()
          return leases.length > 0 && leases
        })
        expect(lease?.attempt).toBe(2)
      })

      it('keeps a dead entry, with its reason', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        await inbox.settle(await claimOne(), { state: 'dead', error: 'no such plan' })
        expect((await inbox.get(entry.eventId))?.entry).toMatchObject({ state: 'dead', reason: 'no such plan' })
        expect(await claim()).toEqual([])
      })
    })

    describe('twins', () => {
      const lane = '/pi_1'
      const makeTwins = () => {
        const snapshot = newEntry({ lane })
        return {
          snapshot,
          thin: newEntry({
            lane,
            shape: 'thin',
            type: 'v1.payment_intent.succeeded',
            snapshotEventId: snapshot.eventId,
          }),
        }
      }

      it.each(['snapshot', 'thin'] as const)(
        'are told of the other once it was handled, when the %s came first',
        async (firstShape) => {
          const twins = makeTwins()
          const [first, second] =
            firstShape === 'snapshot' ? [twins.snapshot, twins.thin] : [twins.thin, twins.snapshot]
          await inbox.add(first)
          await inbox.add(second)
          const lease = await claimOne()
          expect(lease).toMatchObject({ entry: { eventId: first.eventId }, handledTwin: null })
          await inbox.settle(lease, { state: 'handled' })
          const other = await claimOne()
          expect(other).toMatchObject({ entry: { eventId: second.eventId }, handledTwin: first.eventId })
          await inbox.settle(other, { state: 'handled', reason: 'twin' })
          expect((await inbox.get(second.eventId))?.entry).toMatchObject({ state: 'handled', reason: 'twin' })
        },
      )

      it('do not count when they were not handled by a handler', async () => {
        for (const outcome of [
          { state: 'unhandled' },
          { state: 'dead', error: 'bug' },
          { state: 'handled', reason: 'twin' },
        ] as const) {
          const { snapshot, thin } = makeTwins()
          await inbox.add(snapshot)
          await inbox.settle(await claimOne(), outcome)
          await inbox.add(thin)
          const lease = await claimOne()
          expect(lease.handledTwin).toBeNull()
          await inbox.settle(lease, { state: 'unhandled' })
        }
      })

      it('do not hold back the replay of what was handled', async () => {
        const { snapshot, thin } = makeTwins()
        await inbox.add(snapshot)
        await inbox.settle(await claimOne(), { state: 'handled' })
        await inbox.add(thin)
        await inbox.settle(await claimOne(), { state: 'handled', reason: 'twin' })
        await inbox.replay([thin.eventId])
        expect((await claimOne()).handledTwin).toBeNull()
      })

      it('count once they were handled, also while they are replayed and when that fails', async () => {
        const { snapshot, thin } = makeTwins()
        await inbox.add(snapshot)
        await inbox.settle(await claimOne(), { state: 'handled' })
        await inbox.replay([snapshot.eventId])
        const again = await claimOne()
        await inbox.add(thin)
        await inbox.settle(again, { state: 'dead', error: 'bug' })
        expect((await claimOne()).handledTwin).toBe(snapshot.eventId)
      })

      it.each([{ state: 'dead', error: 'bug' }, { state: 'unhandled' }] as const)(
        'are both replayed after they were $state, and one of them is handled',
        async (outcome) => {
          const { snapshot, thin } = makeTwins()
          await inbox.add(snapshot)
          await inbox.add(thin)
          for (let settled = 0; settled < 2; settled += 1) await inbox.settle(await claimOne(), outcome)
          expect(await inbox.replay([thin.eventId, snapshot.eventId])).toHaveLength(2)
          const first = await claimOne()
          expect(first.handledTwin).toBeNull()
          await inbox.settle(first, { state: 'handled' })
          expect((await claimOne()).handledTwin).toBe(first.entry.eventId)
        },
      )
    })

    describe('what a newer entry of its object overtook', () => {
      const ofObject = { objectId: 'pi_1', lane: '/pi_1' }

      /** An entry whose first attempt failed, then one that settled so; and the lease of the first once it is due again. */
      async function overtake(first: Partial<NewEntry>, second: Partial<NewEntry>, outcome: Outcome): Promise<Lease> {
        const [failing, next] = [newEntry(first), newEntry(second)]
        await inbox.add(failing)
        const failed = await claimOne()
        expect(failed.isSuperseded).toBe(false)
        await inbox.settle(failed, later)
        await inbox.add(next)
        const lease = await claimOne()
        expect(lease).toMatchObject({ entry: { eventId: next.eventId }, isSuperseded: false })
        await inbox.settle(lease, outcome)
        await inbox.replay([failing.eventId])
        return claimOne()
      }

      it('is told so when it is tried again, and at every attempt from then on', async () => {
        const again = await overtake(ofObject, ofObject, { state: 'handled' })
        expect(again).toMatchObject({ attempt: 2, isSuperseded: true })
        await inbox.settle(again, { state: 'dead', error: 'bug' })
        await inbox.replay([again.entry.eventId])
        expect(await claimOne()).toMatchObject({ attempt: 1, isSuperseded: true })
      })

      it('is told so also of a connected account, and when it is replayed after it was handled', async () => {
        const make = () => newEntry({ ...ofObject, account: 'acct_1' })
        const [first, second] = [make(), make()]
        for (const entry of [first, second]) {
          await inbox.add(entry)
          await inbox.settle(await claimOne(), { state: 'handled' })
        }
        await inbox.replay([second.eventId])
        const newest = await claimOne()
        expect(newest.isSuperseded).toBe(false)
        await inbox.settle(newest, { state: 'handled' })
        await inbox.replay([first.eventId])
        expect((await claimOne()).isSuperseded).toBe(true)
      })

      it.each<[string, Partial<NewEntry>, Partial<NewEntry>]>([
        ['of another object, though in its lane', ofObject, { ...ofObject, objectId: 'pi_2' }],
        ['of an object of that id in another account', ofObject, { ...ofObject, account: 'acct_2' }],
        ['without an object', { objectId: null, lane: '/x' }, { objectId: null, lane: '/x' }],
        ['of its own twin', { ...ofObject, eventId: 'evt_1' }, { ...ofObject, snapshotEventId: 'evt_1' }],
        ['of its own twin in turn', { ...ofObject, snapshotEventId: 'evt_2' }, { ...ofObject, eventId: 'evt_2' }],
      ])('is not what was handled %s', async (_which, first, second) => {
        expect((await overtake(first, second, { state: 'handled' })).isSuperseded).toBe(false)
      })

      it.each<[string, Outcome]>([
        ['unhandled', { state: 'unhandled' }],
        ['dead', { state: 'dead', error: 'bug' }],
        ['handled without a handler of its own', { state: 'handled', reason: 'by the fallback' }],
        ['waiting', later],
      ])('is not what has a newer one that is %s', async (_which, outcome) => {
        expect((await overtake(ofObject, ofObject, outcome)).isSuperseded).toBe(false)
      })

      it('is not the newer one when the older one was handled', async () => {
        await inbox.add(newEntry(ofObject))
        await inbox.settle(await claimOne(), { state: 'handled' })
        await inbox.add(newEntry(ofObject))
        await inbox.settle(await claimOne(), { state: 'pending', retryInMs: 0, error: 'again' })
        expect(await claimOne()).toMatchObject({ attempt: 2, isSuperseded: false })
      })
    })

    describe('what processes remember', () => {
      it('is a note by name, the last one written', async () => {
        expect(await inbox.readNote('checkpoint')).toBeNull()
        await inbox.writeNote('checkpoint', 'evt_1')
        await inbox.writeNote('checkpoint', 'evt_2')
        expect(await inbox.readNote('checkpoint')).toBe('evt_2')
        expect(await inbox.readNote('other')).toBeNull()
        inbox = await store.reopen()
        expect(await inbox.readNote('checkpoint')).toBe('evt_2')
      })

      it('is whose turn it is, until it ends by itself', async () => {
        expect(await inbox.takeTurn('reconcile', 60_000)).toBe(true)
        expect(await inbox.takeTurn('reconcile', 1)).toBe(true)
        expect(await inbox.takeTurn('other', 60_000)).toBe(true)
        expect(await inbox.takeTurn('returned', 60_000)).toBe(true)
        expect(await inbox.takeTurn('returned', 0)).toBe(true)
        inbox = await store.reopen()
        expect(await inbox.takeTurn('other', 60_000)).toBe(false)
        expect(await inbox.takeTurn('returned', 60_000)).toBe(true)
        await eventually('the turn to end', () => inbox.takeTurn('reconcile', 60_000))
      })

      it('is which connected accounts are here, less those that left and were not heard of again', async () => {
        const say = (account: string | null, type: string, second = 0, ms = 0) =>
          inbox.add(newEntry({ account, type, createdAt: new Date(1_700_000_000_000 + second * 1_000 + ms) }))
        const LEFT = 'account.application.deauthorized'
        await say(null, 'balance.available')
        await say('acct_1', 'payout.failed')
        await say('acct_2', LEFT)
        await say('acct_3', LEFT)
        await say('acct_3', 'v1.account.application.authorized', 60)
        await say('acct_1', 'payout.paid')
        await say('acct_4', 'account.application.authorized', -60)
        await say('acct_4', `v1.${LEFT}`)
        // The context of a thin event need not be an account.
        await say('wksp_5', 'payout.failed')
        // Back without an authorization that is subscribed to; the deauthorization came after what followed it.
        await say('acct_8', 'payout.failed', 61)
        await say('acct_8', 'payout.failed', -61)
        await say('acct_8', LEFT, 60)
        // Left again since.
        await say('acct_9', LEFT, 10)
        await say('acct_9', 'payout.failed', 20)
        await say('acct_9', LEFT, 30)
        // A late delivery is no return, and no more is the twin or any thin event of that second, which tell it to the millisecond.
        await say('acct_10', LEFT, 60)
        await say('acct_10', `v1.${LEFT}`, 60, 400)
        await say('acct_10', 'payout.failed', 59)
        await say('acct_11', LEFT, 60)
        await say('acct_11', 'v1.payout.failed', 60, 300)
        await inbox.writeNote('reconciled platform', 'x')
        await inbox.writeNote('reconciled acct_4', 'x')
        await inbox.writeNote('reconciled acct_6', 'x')
        await inbox.writeNote('reconciled thin acct_6', 'x')
        await inbox.writeNote('reconciled thin acct_7', 'x')
        await inbox.writeNote('reconciled thin platform', 'x')
        expect((await inbox.accounts()).sort()).toEqual(['acct_1', 'acct_3', 'acct_6', 'acct_7', 'acct_8'])
      })
    })

    describe('a hold', () => {
      it('leases nothing in any process until it ends, over a restart too, and stores all the same', async () => {
        const [before, meanwhile] = [newEntry(), newEntry()]
        await inbox.add(before)
        expect(await inbox.held()).toBeNull()
        await inbox.hold({ who: 'ann', reason: 'a bug' })
        expect(await claim()).toEqual([])
        expect(await inbox.add(meanwhile, LEASE)).toBe('added')
        inbox = await store.reopen()
        const hold = await inbox.held()
        expect(hold).toMatchObject({ who: 'ann', reason: 'a bug' })
        expect(hold?.forMs).toBeGreaterThanOrEqual(0)
        expect(hold?.forMs).toBeLessThan(60_000)
        expect(await claim()).toEqual([])
        await inbox.hold({ who: 'bob', reason: null })
        expect(await inbox.held()).toMatchObject({ who: 'bob', reason: null })
        await inbox.resume()
        await inbox.resume()
        expect(await inbox.held()).toBeNull()
        expect(await claimIds()).toEqual([before.eventId, meanwhile.eventId])
      })
    })

    describe('figures', () => {
      const figures = (accepted: number) =>
        ({ accepted, handled: 0, failed: 1, waits: [1, 2], refused: { bad: 3 }, proven: {}, versions: {} }) as const

      it('are what was counted, oldest first, for eight days', async () => {
        await inbox.recordFigures(figures(1))
        await inbox.recordFigures(figures(2))
        const found = await inbox.figures(60_000)
        expect(found.map(({ at: _at, ...counted }) => counted)).toEqual([figures(1), figures(2)])
        expect(Math.abs((found[0]?.at.getTime() ?? 0) - Date.now())).toBeLessThan(60_000)
        expect(await inbox.figures(-60_000)).toEqual([])
        await store.age(9 * DAY)
        await inbox.recordFigures(figures(3))
        expect((await inbox.figures(30 * DAY)).map(({ accepted }) => accepted)).toEqual([3])
      })
    })

    describe('actions', () => {
      const facts = { who: 'ann', from: 'console', verb: 'replay', filter: 'type=payout.*' } as const

      it('are kept newest first, and what runs goes on until it has ended', async () => {
        const done = await inbox.recordAction('done', facts)
        const running = await inbox.recordAction('running', { ...facts, next: 'evt_1' })
        expect(running).toBeGreaterThan(done)
        expect(await inbox.actions({ limit: 10 })).toEqual([
          { id: running, at: expect.any(Date), state: 'running', facts: { ...facts, next: 'evt_1' } },
          { id: done, at: expect.any(Date), state: 'done', facts },
        ])
        expect(await inbox.actions({ limit: 10, before: running })).toMatchObject([{ id: done }])
        expect(await inbox.actions({ limit: 10, state: 'running' })).toMatchObject([{ id: running }])
        expect(await inbox.updateAction(running, 'running', { ...facts, changed: 200 })).toBe(true)
        expect(await inbox.updateAction(running, 'cancelled')).toBe(true)
        expect(await inbox.updateAction(running, 'running', { ...facts, changed: 400 })).toBe(false)
        expect(await inbox.actions({ limit: 1 })).toMatchObject([{ state: 'cancelled', facts: { changed: 200 } }])
        expect(await inbox.updateAction(done, 'failed')).toBe(false)
      })

      it('go with the entries that were there at the time', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        await inbox.recordAction('done', facts)
        const running = await inbox.recordAction('running', facts)
        await store.age(90 * DAY)
        await inbox.add(newEntry())
        await inbox.prune({ bodiesAfterMs: 30 * DAY, entriesAfterMs: 60 * DAY, limit: 10 })
        expect(await inbox.actions({ limit: 10 })).toMatchObject([{ id: running }])
      })
    })

    describe('decide', () => {
      const request = () => newEntry({ type: 'issuing_authorization.request', state: 'handled', reason: 'answered' })
      const decision = { answer: { approved: true }, how: 'answered', durationMs: 12, reason: null } as const
      const other = { answer: { approved: false }, how: 'otherwise', durationMs: 1_500, reason: 'too late' } as const

      it('keeps the first decision, and gives it to whoever comes later', async () => {
        const entry = request()
        await inbox.add(entry)
        expect((await inbox.get(entry.eventId))?.decision).toBeNull()
        expect(await inbox.decide(entry.eventId, decision)).toEqual(decision)
        expect(await inbox.decide(entry.eventId, other)).toEqual(decision)
        inbox = await store.reopen()
        expect((await inbox.get(entry.eventId))?.decision).toEqual(decision)
      })

      it('keeps it as it was replied, whatever is in it', async () => {
        const entry = request()
        await inbox.add(entry)
        const answer = { approved: true, metadata: { 'a\0': 'b\0', half: '\ud800' }, amount: 1.5e300 }
        const given = { ...decision, answer }
        expect(JSON.stringify(await inbox.decide(entry.eventId, given))).toBe(JSON.stringify(given))
        expect(JSON.stringify((await inbox.get(entry.eventId))?.decision)).toBe(JSON.stringify(given))
      })

      it('is of nothing that a worker runs', async () => {
        const event = newEntry()
        await inbox.add(event)
        expect(await inbox.decide(event.eventId, decision)).toBeNull()
        expect(await inbox.decide('evt_unknown', decision)).toBeNull()
        expect((await inbox.get(event.eventId))?.decision).toBeNull()
      })

      it('takes over what came before as an ordinary event, and nobody deals with any more', async () => {
        const ids: string[] = []
        for (const end of [{ state: 'unhandled' }, { state: 'dead', error: 'bug' }, { state: 'handled' }] as const) {
          const { eventId } = newEntry()
          await inbox.add(newEntry({ eventId }))
          await inbox.settle(await claimOne(), end)
          ids.push(eventId)
        }
        const parked = newEntry({ state: 'parked', reason: 'of the other mode' })
        await inbox.add(parked)
        for (const id of [...ids, parked.eventId]) {
          expect(await inbox.decide(id, decision)).toEqual(decision)
          expect(await inbox.decide(id, other)).toEqual(decision)
          const found = await inbox.get(id)
          expect(found).toMatchObject({ decision, entry: { state: 'handled', settledAt: expect.any(Date) } })
          expect(found?.entry.reason).not.toBe('of the other mode')
        }
        expect(await inbox.replay([...ids, parked.eventId])).toEqual([])
      })

      it('leaves a request settled: no worker gets it, and no replay, decided or not', async () => {
        const [decided, undecided] = [request(), request()]
        for (const entry of [decided, undecided]) expect(await inbox.add(entry, LEASE)).toBe('added')
        await inbox.decide(decided.eventId, decision)
        const eventIds = [decided.eventId, undecided.eventId]
        expect(await inbox.replay(eventIds)).toEqual([])
        expect(await claim()).toEqual([])
        expect(await inbox.lookUp(eventIds)).toMatchObject(eventIds.map(() => ({ state: 'handled', isAnswered: true })))
        expect((await inbox.get(decided.eventId))?.entry.settledAt).toBeInstanceOf(Date)
      })
    })

    describe('replay', () => {
      it('starts a settled entry over, and keeps its history', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        await inbox.settle(await claimOne(), { state: 'dead', error: 'bug' })
        expect(await inbox.replay([entry.eventId])).toEqual([entry.eventId])
        const lease = await claimOne()
        expect(lease.attempt).toBe(1)
        await inbox.settle(lease, { state: 'handled' })
        const found = await inbox.get(entry.eventId)
        expect(found?.entry).toMatchObject({ state: 'handled', replays: 1, attempts: 1, reason: null })
        expect(found?.attempts).toMatchObject([
          { replay: 0, number: 1, outcome: 'dead' },
          { replay: 1, number: 1, outcome: 'handled' },
        ])
      })

      it('takes the delay from a waiting entry, and counts on', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        await inbox.settle(await claimOne(), later)
        expect(await inbox.replay([entry.eventId])).toEqual([entry.eventId])
        expect((await claimOne()).attempt).toBe(2)
      })

      it('runs a parked entry whose lane was busy when it came', async () => {
        await inbox.add(newEntry({ lane: '/x' }))
        const busy = await claimOne()
        const parked = newEntry({ lane: '/x', state: 'parked' })
        await inbox.add(parked)
        await inbox.settle(busy, { state: 'handled' })
        await inbox.replay([parked.eventId])
        expect(await claimIds()).toEqual([parked.eventId])
      })

      it('leaves what waits for its lane behind the running one', async () => {
        const [first, next] = [newEntry({ lane: '/x' }), newEntry({ lane: '/x' })]
        await inbox.add(first)
        const running = await claimOne()
        await inbox.add(next)
        expect(await claim()).toEqual([])
        expect(await inbox.replay([next.eventId])).toEqual([next.eventId])
        expect(await claim()).toEqual([])
        await inbox.settle(running, { state: 'handled' })
        expect(await claimIds()).toEqual([next.eventId])
      })

      it('leaves running and unknown ids alone', async () => {
        const entry = newEntry()
        await inbox.add(entry)
        await claimOne()
        expect(await inbox.replay([entry.eventId, 'evt_unknown'])).toEqual([])
        expect(await stateOf(entry.eventId)).toBe('running')
      })

      it('leaves alone what came into another state than those it was asked for', async () => {
        const [handled, waiting] = [newEntry(), newEntry()]
        await inbox.add(handled)
        await inbox.settle(await claimOne(), { state: 'handled' })
        await inbox.add(waiting)
        const eventIds = [handled.eventId, waiting.eventId]
        expect(await inbox.replay(eventIds, ['pending', 'dead'])).toEqual([waiting.eventId])
        expect(await stateOf(handled.eventId)).toBe('handled')
        expect(await inbox.replay(eventIds, ['handled', 'running'])).toEqual([handled.eventId])
      })
    })

    describe('parking', () => {
      it('sets aside what waits and what runs, and lets their lanes go on', async () => {
        const [running, next, waiting] = [newEntry({ lane: '/x' }), newEntry({ lane: '/x' }), newEntry()]
        await inbox.add(running)
        const lease = await claimOne()
        await inbox.add(next)
        await inbox.add(waiting)
        const parked = await inbox.park([running.eventId, waiting.eventId, 'evt_unknown'], 'parked by a person')
        expect(parked.toSorted()).toEqual([running.eventId, waiting.eventId].toSorted())
        expect(await claimIds()).toEqual([next.eventId])
        expect(await inbox.settle(lease, { state: 'handled' })).toBe(false)
        expect(await inbox.get(running.eventId)).toMatchObject({
          entry: { state: 'parked', reason: 'parked by a person', settledAt: expect.any(Date) },
          attempts: [{ number: 1, outcome: 'lost', error: 'parked by a person' }],
        })
        expect(await inbox.park([running.eventId], 'again')).toEqual([])
        await inbox.replay([running.eventId])
        expect((await inbox.get(running.eventId))?.entry.state).toBe('pending')
      })
    })

    describe('looking', () => {
      it('knows no entry by an unknown id', async () => {
        expect(await inbox.get('evt_unknown')).toBeUndefined()
      })

      it('lists the newest first, by state, type, account and age, within the limit', async () => {
        const paid = newEntry({ account: 'acct_1' })
        const failed = newEntry({ type: 'payment_intent.payment_failed', state: 'parked' })
        const payout = newEntry({ type: 'payout.failed' })
        for (const entry of [paid, failed, payout]) await inbox.add(entry)
        const ids = async (...filter: Parameters<Inbox['list']>) =>
          (await inbox.list(...filter)).map((entry) => entry.eventId)
        expect(await ids({}, { limit: 10 })).toEqual([payout.eventId, failed.eventId, paid.eventId])
        expect(await ids({}, { limit: 1 })).toEqual([payout.eventId])
        expect(await ids({ states: ['parked', 'dead'] }, { limit: 10 })).toEqual([failed.eventId])
        expect(await ids({ type: 'payment_intent.*' }, { limit: 10 })).toEqual([failed.eventId, paid.eventId])
        expect(await ids({ type: 'payment_intent.succeeded', account: 'acct_1' }, { limit: 10 })).toEqual([
          paid.eventId,
        ])
        expect(await ids({ receivedWithinMs: 60_000 }, { limit: 10 })).toHaveLength(3)
        expect(await ids({ receivedWithinMs: -60_000 }, { limit: 10 })).toEqual([])
      })

      it('takes nothing but the star in a type for a pattern', async () => {
        const entry = newEntry({ type: 'v2.core.account[requirements].updated' })
        await inbox.add(entry)
        await inbox.add(newEntry({ type: 'v2.core.accountr.updated' }))
        for (const type of [entry.type, 'v2.core.account[*].updated']) {
          expect((await inbox.list({ type }, { limit: 10 })).map(({ eventId }) => eventId)).toEqual([entry.eventId])
        }
        for (const type of ['v2_core_account%', 'v2?core*', 'V2.CORE*'])
          expect(await inbox.list({ type }, { limit: 10 })).toEqual([])
      })

      it('pages on from an id', async () => {
        const entries = [newEntry(), newEntry(), newEntry()]
        for (const entry of entries) await inbox.add(entry)
        const before = entries[2]?.eventId ?? ''
        expect((await inbox.list({}, { limit: 1, before })).map((entry) => entry.eventId)).toEqual([
          entries[1]?.eventId,
        ])
        expect(await inbox.list({}, { limit: 1, before: entries[0]?.eventId ?? '' })).toEqual([])
        expect(await inbox.list({}, { limit: 10, before: 'evt_unknown' })).toEqual([])
        const downTo = entries[1]?.eventId ?? ''
        expect((await inbox.list({}, { limit: 10, downTo })).map(({ eventId }) => eventId)).toEqual([before, downTo])
        expect((await inbox.list({}, { limit: 10, before, downTo })).map(({ eventId }) => eventId)).toEqual([downTo])
        expect(await inbox.list({}, { limit: 10, downTo: 'evt_unknown' })).toEqual([])
      })

      it('finds by each fact that a filter names', async () => {
        const one = newEntry({ objectId: 'po_1', account: 'acct_1', shape: 'thin', source: 'reconcile' })
        const other = newEntry({ type: 'payout.failed' })
        for (const entry of [one, other]) await inbox.add(entry)
        const ids = async (filter: EntryFilter) =>
          (await inbox.search(filter, { limit: 10 })).entries.map(({ eventId }) => eventId)
        for (const filter of [
          { objectId: 'po_1' },
          { eventId: one.eventId },
          { account: 'acct_1' },
          { shape: 'thin' },
          { source: 'reconcile' },
          { objectId: 'po_1', account: 'acct_1', type: 'payment_intent.*', receivedWithinMs: DAY },
        ] satisfies EntryFilter[]) {
          expect(await ids(filter)).toEqual([one.eventId])
          expect((await inbox.list(filter, { limit: 10 })).map(({ eventId }) => eventId)).toEqual([one.eventId])
        }
        expect(await ids({ objectId: 'po_2' })).toEqual([])
        expect(await ids({ objectId: 'po_1', type: 'payout.*' })).toEqual([])
        await store.age(DAY)
        expect(await ids({ receivedBeforeMs: DAY / 2 })).toEqual([other.eventId, one.eventId])
        const fresh = newEntry()
        await inbox.add(fresh)
        expect(await ids({ receivedBeforeMs: DAY / 2 })).toEqual([other.eventId, one.eventId])
        expect(await ids({ receivedWithinMs: DAY / 2 })).toEqual([fresh.eventId])
      })

      it('finds what fails, by a part of its reason as it is written', async () => {
        const entries = ['card 50% _declined_', 'Bank\\office closed', 'CARD expired'].map((error) => ({
          entry: newEntry(),
          error,
        }))
        for (const { entry } of entries) await inbox.add(entry)
        for (const lease of await claim()) {
          const error = entries.find(({ entry }) => entry.eventId === lease.entry.eventId)?.error ?? ''
          await inbox.settle(lease, error.startsWith('Bank') ? { state: 'dead', error } : { ...later, error })
        }
        await inbox.add(newEntry())
        const reasons = async (filter: EntryFilter) =>
          (await inbox.search(filter, { limit: 10 })).entries.map(({ reason }) => reason).sort()
        expect(await reasons({ isFailing: true })).toEqual([
          'Bank\\office closed',
          'CARD expired',
          'card 50% _declined_',
        ])
        expect(await reasons({ reason: 'card' })).toEqual(['CARD expired', 'card 50% _declined_'])
        expect(await reasons({ reason: '50% _d', isFailing: true })).toEqual(['card 50% _declined_'])
        expect(await reasons({ reason: 'k\\o' })).toEqual(['Bank\\office closed'])
        expect(await reasons({ reason: '%' })).toEqual(['card 50% _declined_'])
        expect(await reasons({ reason: '_x' })).toEqual([])
      })

      it('summarizes what matches by state, type and the first line of the reason', async () => {
        const entries = Array.from({ length: 5 }, (_, index) =>
          newEntry({ type: index < 3 ? 'payout.failed' : 'payout.paid' }),
        )
        for (const entry of entries) await inbox.add(entry)
        const errors = new Map(
          entries.map(({ eventId }, index) => [eventId, index < 2 ? `gone\nat line ${index}` : 'x'.repeat(500)]),
        )
        for (const lease of await claim(4)) {
          await inbox.settle(lease, { state: 'dead', error: errors.get(lease.entry.eventId) ?? '' })
        }
        const { groups, ...rest } = await inbox.summarize({ isFailing: true }, { limit: 2 })
        expect(groups).toHaveLength(2)
        expect(groups[0]).toEqual({
          state: 'dead',
          type: 'payout.failed',
          reason: 'gone',
          entries: 2,
          oldestAt: (await inbox.get(entries[0]?.eventId ?? ''))?.entry.receivedAt,
          newestAt: (await inbox.get(entries[1]?.eventId ?? ''))?.entry.receivedAt,
        })
        expect(groups[1]?.reason).toBe('x'.repeat(200))
        expect(rest).toEqual({ entries: 4, oldest: entries[0]?.eventId, newest: entries[3]?.eventId, olderThan: null })
        const all = await inbox.summarize({}, { limit: 10 })
        expect(all.groups.map(({ state, reason }) => [state, reason])).toContainEqual(['pending', null])
        expect(all.entries).toBe(5)
        expect((await inbox.summarize({}, { limit: 10, before: entries[1]?.eventId ?? '' })).entries).toBe(1)
        expect(await inbox.summarize({ objectId: 'po_2' }, { limit: 10 })).toEqual({
          groups: [],
          entries: 0,
          oldest: null,
          newest: null,
          olderThan: null,
        })
      })

      it('looks at the newest 100,000 where no index serves, and says where an older search goes on', async () => {
        const [old, fresh] = [newEntry({ objectId: 'po_1' }), newEntry()]
        for (const entry of [old, fresh]) await inbox.add(entry)
        await store.leaveGap(SEARCHED)
        const ids = async (filter: EntryFilter, page: Page) => {
          const { entries, olderThan } = await inbox.search(filter, page)
          return [entries.map(({ eventId }) => eventId), olderThan]
        }
        const unindexed = { type: '*' }
        expect(await ids(unindexed, { limit: 10 })).toEqual([[fresh.eventId], fresh.eventId])
        expect(await ids(unindexed, { limit: 10, before: fresh.eventId })).toEqual([[old.eventId], null])
        expect(await ids(unindexed, { limit: 1 })).toEqual([[fresh.eventId], null])
        expect(await ids({ type: 'payout.*' }, { limit: 10 })).toEqual([[], fresh.eventId])
        expect(await ids({ objectId: 'po_1' }, { limit: 10 })).toEqual([[old.eventId], null])
        expect((await inbox.list(unindexed, { limit: 10 })).map(({ eventId }) => eventId)).toEqual([
          fresh.eventId,
          old.eventId,
        ])
        expect(await inbox.summarize(unindexed, { limit: 10 })).toMatchObject({ entries: 1, olderThan: fresh.eventId })
        await store.age(DAY, old.eventId)
        expect(await ids({ ...unindexed, receivedWithinMs: DAY / 2 }, { limit: 10 })).toEqual([[fresh.eventId], null])
        expect(await ids({ ...unindexed, receivedBeforeMs: DAY / 2 }, { limit: 10 })).toEqual([[old.eventId], null])
      })

      it('finds by the values that an entry came with, until retention drops it', async () => {
        const one = newEntry({ values: ['cus_1', 'order 7', 'cus_1'] })
        const other = newEntry({ values: ['cus_1'] })
        for (const entry of [one, other, newEntry()]) await inbox.add(entry)
        await inbox.add({ ...other, values: ['cus_2'] })
        const ids = async (filter: EntryFilter) =>
          (await inbox.search(filter, { limit: 10 })).entries.map(({ eventId }) => eventId)
        expect(await ids({ value: 'cus_1' })).toEqual([other.eventId, one.eventId])
        expect(await ids({ value: 'order 7' })).toEqual([one.eventId])
        expect(await ids({ value: 'cus_2' })).toEqual([])
        for (const lease of await claim(1)) await inbox.settle(lease, { state: 'handled' })
        await store.age(90 * DAY, one.eventId)
        await inbox.prune({ bodiesAfterMs: DAY, entriesAfterMs: DAY, limit: 10 })
        expect(await ids({ value: 'cus_1' })).toEqual([other.eventId])
        // A new entry must not inherit what an old one was found by.
        await inbox.add(newEntry())
        expect(await ids({ value: 'order 7' })).toEqual([])
      })

      it('shows a lane in order of arrival', async () => {
        const lane = { account: 'acct_1', objectId: 'po_1', lane: 'acct_1/po_1' }
        const entries = [newEntry(lane), newEntry({ ...lane, lane: 'other' }), newEntry(lane), newEntry(lane)]
        const [alone, named] = [newEntry({ objectId: null }), newEntry({ objectId: null, lane: '/balance' })]
        for (const entry of [...entries, alone, named, newEntry({ objectId: null, lane: '/balance' })])
          await inbox.add(entry)
        const ids = async (eventId = '', limit = 10) => (await inbox.lane(eventId, limit)).map((entry) => entry.eventId)
        const [first, , third, fourth] = entries.map(({ eventId }) => eventId)
        expect(await ids(third)).toEqual([first, third, fourth])
        expect(await ids(first, 2)).toEqual([third, fourth])
        expect(await ids(alone.eventId)).toEqual([alone.eventId])
        expect(await ids(named.eventId)).toHaveLength(2)
        expect(await ids('evt_unknown')).toEqual([])
      })

      it('tells for how long what waits for a worker has been due, and not of what waits for its time', async () => {
        expect(await inbox.oldestPendingMs()).toBeNull()
        await inbox.add(newEntry())
        const waited = await eventually(
          'some age',
          async () => ((await inbox.oldestPendingMs()) ?? 0) > 0 && inbox.oldestPendingMs(),
        )
        expect(waited).toBeLessThan(60_000)
        await inbox.settle(await claimOne(), later)
        expect(await inbox.oldestPendingMs()).toBeNull()
        await inbox.replay((await inbox.list({}, { limit: 1 })).map((entry) => entry.eventId))
        expect(await inbox.oldestPendingMs()).not.toBeNull()
        await inbox.settle(await claimOne(), { state: 'handled' })
        expect(await inbox.oldestPendingMs()).toBeNull()
      })

      it('looks many ids up at once', async () => {
        const [known, parked] = [newEntry(), newEntry({ type: 'payout.failed', state: 'parked' })]
        for (const entry of [known, parked]) await inbox.add(entry)
        const found = await inbox.lookUp([known.eventId, 'evt_unknown', parked.eventId, known.eventId])
        expect(found.toSorted((one, other) => one.type.localeCompare(other.type))).toEqual([
          { eventId: known.eventId, type: known.type, state: 'pending', hasBody: true, isAnswered: false },
          { eventId: parked.eventId, type: 'payout.failed', state: 'parked', hasBody: true, isAnswered: false },
        ])
        expect(await inbox.lookUp([])).toEqual([])
      })

      it('counts the entries of every state', async () => {
        for (let i = 0; i < 5; i++) await inbox.add(newEntry())
        const [a, b, c] = await claim(4)
        if (!a || !b || !c) throw new Error('too few were due')
        await inbox.settle(a, { state: 'handled' })
        await inbox.settle(b, { state: 'unhandled' })
        await inbox.settle(c, { state: 'dead', error: 'bug' })
        await inbox.add(newEntry({ state: 'parked' }))
        expect(await inbox.counts()).toEqual({ pending: 1, running: 1, handled: 1, unhandled: 1, parked: 1, dead: 1 })
      })

      it('says that it can be used', async () => {
        await expect(inbox.check()).resolves.toBeUndefined()
      })
    })

    describe('prune', () => {
      /** A negative age lies in the future, so that what is settled now is already older. */
      const PAST = -60_000
      const NEVER = 3_600_000
      const NOTHING = { bodies: 0, entries: 0, next: null }

      /** Every step until there is no next one. */
      async function pruneAll(policy: PrunePolicy): Promise<Pruned[]> {
        const steps: Pruned[] = []
        for (let after: string | null | undefined; after !== null && steps.length < 99; ) {
          const step = await inbox.prune({ ...policy, ...(after !== undefined && { after }) })
          steps.push(step)
          after = step.next
        }
        return steps
      }

      async function addSettled() {
        const settled = newEntry()
        await inbox.add(settled)
        await inbox.settle(await claimOne(), { state: 'handled' })
        return settled
      }

      async function addSettledAndOpen() {
        const settled = await addSettled()
        const open = newEntry()
        await inbox.add(open)
        return { settled, open }
      }

      it('drops the bodies of settled entries first, and keeps their ids and history', async () => {
        const { settled, open } = await addSettledAndOpen()
        expect(await inbox.prune({ bodiesAfterMs: PAST, entriesAfterMs: NEVER, limit: 10 })).toEqual({
          bodies: 1,
          entries: 0,
          next: null,
        })
        expect(await inbox.get(settled.eventId)).toMatchObject({
          body: null,
          entry: { state: 'handled' },
          attempts: [{ number: 1 }],
        })
        expect(await inbox.add(settled)).toBe('duplicate')
        expect(await inbox.replay([settled.eventId])).toEqual([])
        expect((await inbox.get(open.eventId))?.body).not.toBeNull()
        expect(await inbox.prune({ bodiesAfterMs: PAST, entriesAfterMs: NEVER, limit: 10 })).toEqual(NOTHING)
      })

      it('drops settled entries later, with all that is theirs, and never open ones', async () => {
        const { settled, open } = await addSettledAndOpen()
        expect(await inbox.prune({ bodiesAfterMs: NEVER, entriesAfterMs: PAST, limit: 10 })).toEqual({
          bodies: 0,
          entries: 1,
          next: null,
        })
        expect(await inbox.get(settled.eventId)).toBeUndefined()
        expect(await stateOf(open.eventId)).toBe('pending')
      })

      it('keeps what is younger', async () => {
        await addSettledAndOpen()
        expect(await inbox.prune({ bodiesAfterMs: NEVER, entriesAfterMs: NEVER, limit: 10 })).toEqual(NOTHING)
      })

      it('never takes what nobody dealt with, until it is dropped', async () => {
        const [dead, parked] = [newEntry(), newEntry({ state: 'parked', reason: 'test event' })]
        await inbox.add(dead)
        await inbox.settle(await claimOne(), { state: 'dead', error: 'bug' })
        await inbox.add(parked)
        const policy = { bodiesAfterMs: PAST, entriesAfterMs: PAST, limit: 10 }
        expect(await inbox.prune(policy)).toEqual(NOTHING)
        expect(await inbox.undealt()).toEqual({ entries: 2, oldestMs: expect.any(Number) })
        expect(await inbox.drop([dead.eventId, parked.eventId, 'evt_unknown'], 'dropped by a person')).toEqual([
          dead.eventId,
          parked.eventId,
        ])
        expect(await inbox.undealt()).toEqual({ entries: 0, oldestMs: null })
        expect((await inbox.get(dead.eventId))?.entry).toMatchObject({
          state: 'handled',
          reason: 'dropped by a person',
        })
        expect(await inbox.prune(policy)).toMatchObject({ entries: 2 })
      })

      it('leaves an account known by its note, until its deauthorization goes', async () => {
        for (const [account, type] of [
          ['acct_quiet', 'payout.failed'],
          ['acct_left', 'account.application.deauthorized'],
        ] as const) {
          await inbox.add(newEntry({ account, type }))
          await inbox.writeNote(`reconciled ${account}`, 'x')
          await inbox.writeNote(`reconciled thin ${account}`, 'x')
          await inbox.writeNote(`context of ${account}`, 'x')
        }
        for (const lease of await claim()) await inbox.settle(lease, { state: 'unhandled' })
        expect(await inbox.accounts()).toEqual(['acct_quiet'])
        expect(await inbox.prune({ bodiesAfterMs: PAST, entriesAfterMs: PAST, limit: 10 })).toMatchObject({
          entries: 2,
        })
        expect(await inbox.accounts()).toEqual(['acct_quiet'])
        for (const note of ['reconciled acct_left', 'reconciled thin acct_left', 'context of acct_left']) {
          expect(await inbox.readNote(note)).toBeNull()
        }
      })

      it('takes small steps', async () => {
        await Promise.all(Array.from({ length: 5 }, () => inbox.add(newEntry())))
        for (const lease of await claim()) await inbox.settle(lease, { state: 'unhandled' })
        const steps = await pruneAll({ bodiesAfterMs: PAST, entriesAfterMs: PAST, limit: 2 })
        expect(steps.map((step) => step.entries)).toEqual([2, 2, 1])
      })

      it('looks at what it keeps once, and goes on behind it', async () => {
        const kept = Array.from({ length: 25 }, () => newEntry({ state: 'parked', reason: 'test event' }))
        for (const entry of kept) await inbox.add(entry)
        for (let i = 0; i < 4; i += 1) await addSettled()
        const steps = await pruneAll({ bodiesAfterMs: PAST, entriesAfterMs: NEVER, limit: 10 })
        expect(steps.map((step) => step.bodies)).toEqual([0, 0, 4])
        const later = await pruneAll({ bodiesAfterMs: NEVER, entriesAfterMs: PAST, limit: 10 })
        expect(later.map((step) => step.entries)).toEqual([0, 0, 4])
        expect(await inbox.counts()).toMatchObject({ parked: 25, handled: 0 })
      })

      it('counts from the newest arrival: a clock that ran ahead while nothing came drops nothing', async () => {
        await addSettled()
        await store.age(70 * DAY)
        const policy = { bodiesAfterMs: 30 * DAY, entriesAfterMs: 60 * DAY, limit: 10 }
        expect(await inbox.prune(policy)).toEqual(NOTHING)
        await inbox.add(newEntry())
        expect(await inbox.prune(policy)).toMatchObject({ entries: 1 })
      })

      it('is not misled by what came while the clock was ahead', async () => {
        await addSettled()
        await store.age(20 * DAY)
        const ahead = newEntry()
        await inbox.add(ahead)
        await store.age(-70 * DAY, ahead.eventId)
        expect(await inbox.prune({ bodiesAfterMs: 30 * DAY, entriesAfterMs: 60 * DAY, limit: 10 })).toEqual(NOTHING)
      })
    })

    describe('close', () => {
      it('keeps everything for the next opening, and settled stays settled', async () => {
        const [waiting, settled] = [newEntry(), newEntry({ lane: '/settled' })]
        await inbox.add(settled)
        await inbox.settle(await claimOne(), { state: 'handled' })
        await inbox.add(waiting)
        inbox = await store.reopen()
        expect(await stateOf(settled.eventId)).toBe('handled')
        expect(await claimIds()).toEqual([waiting.eventId])
      })

      it('finishes what was begun, refuses what comes after, and may be repeated', async () => {
        const entry = newEntry()
        const adding = inbox.add(entry)
        await inbox.close()
        await inbox.close()
        expect(await adding).toBe('added')
        await expect(inbox.add(newEntry())).rejects.toMatchObject({ code: 'store_unavailable' })
        await expect(inbox.check()).rejects.toMatchObject({ code: 'store_unavailable' })
        inbox = await store.reopen()
        expect(await stateOf(entry.eventId)).toBe('pending')
      })
    })
  })
}
