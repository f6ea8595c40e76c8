import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ReceiverError } from '../../src/errors.ts'
import type { Outcome } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import type { Dispatch } from '../../src/worker/dispatch.ts'
import { startWorker, type Worker, type WorkerOptions } from '../../src/worker/worker.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'
import { openScratchInbox } from '../support/scratch-inbox.ts'

const handled = { outcome: { state: 'handled' } } as const

let store: Awaited<ReturnType<typeof openScratchInbox>>
let captured: Awaited<ReturnType<typeof captureLog>>
let inbox: Inbox
let worker: Worker | undefined
beforeEach(async () => {
  store = await openScratchInbox()
  captured = await captureLog()
  inbox = store.inbox
})
afterEach(async () => {
  vi.useRealTimers()
  await worker?.stop(0)
  await store.remove()
})

function start(dispatch: Dispatch, { on = inbox, ...options }: Partial<WorkerOptions> & { on?: Inbox } = {}): Worker {
  worker = startWorker({ inbox: on, dispatch, log: captured.log, concurrency: 4, leaseMs: 60_000, ...options })
  return worker
}

const handledCount = (count: number) =>
  eventually(`${count} handled`, async () => (await inbox.counts()).handled === count)

describe('the worker', () => {
  it('works off what is there, each entry once', async () => {
    const entries = Array.from({ length: 50 }, () => newEntry())
    await Promise.all(entries.map((entry) => inbox.add(entry)))
    const ran: string[] = []
    start(async (lease) => {
      ran.push(lease.entry.eventId)
      return handled
    })
    await handledCount(50)
    expect(ran.sort()).toEqual(entries.map((entry) => entry.eventId).sort())
    expect(captured.lines().filter((line) => line.msg === 'event handled')).toHaveLength(50)
  })

  it('runs as many at once as it may, and no more', async () => {
    await Promise.all(Array.from({ length: 12 }, () => inbox.add(newEntry())))
    let [running, most] = [0, 0]
    const gate = Promise.withResolvers<void>()
    start(async () => {
      running += 1
      most = Math.max(most, running)
      await gate.promise
      running -= 1
      return handled
    })
    await eventually('all slots taken', () => running === 4)
    gate.resolve()
    await handledCount(12)
    expect(most).toBe(4)
  })

  /** Quick ones first, so that the worker claims more than it has places for; then handlers wait for the gate, or for the end. */
  async function startTurningSlow({ quick, concurrency }: { quick: number; concurrency: number }) {
    const gate = Promise.withResolvers<void>()
    let [started, mostLimit, released] = [0, 0, 0]
    const running = start(
      async (_lease, signal) => {
        started += 1
        if (started <= quick) return handled
        const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        await Promise.race([gate.promise, aborted])
        return signal.aborted ? { outcome: { state: 'pending', retryInMs: 60_000, error: 'aborted' } } : handled
      },
      {
        concurrency,
        on: {
          ...inbox,
          claim: (request) => {
            mostLimit = Math.max(mostLimit, request.limit)
            return inbox.claim(request)
          },
          release: (leases) => {
            released += leases.length
            return inbox.release(leases)
          },
        },
      },
    )
    return { gate, running, mostLimit: () => mostLimit, started: () => started, released: () => released }
  }

  it('claims more than its places for handlers that take none, and gives back at once what slow ones leave no place for', async () => {
    await Promise.all(Array.from({ length: 300 }, () => inbox.add(newEntry())))
    const { gate, mostLimit, started, released } = await startTurningSlow({ quick: 100, concurrency: 4 })
    await eventually('the rest to be given back', async () => (await inbox.counts()).running === 4 && released() > 0)
    expect(mostLimit()).toBeGreaterThan(4)
    expect(started()).toBe(104)
    const waiting = await inbox.list({ states: ['pending'] }, { limit: 300 })
    expect(waiting.map(({ attempts }) => attempts)).toEqual(Array.from({ length: 196 }, () => 0))
    gate.resolve()
    await handledCount(300)
    expect((await inbox.list({}, { limit: 300 })).every(({ attempts }) => attempts === 1)).toBe(true)
  })

  it('starts what it claimed for its free places, however long the first of them block', async () => {
    await Promise.all(Array.from({ length: 4 }, () => inbox.add(newEntry())))
    let released = 0
    start(
      async () => {
        const until = performance.now() + 60
        while (performance.now() < until);
        return handled
      },
      {
        on: {
          ...inbox,
          release: (leases) => {
            released += leases.length
            return inbox.release(leases)
          },
        },
      },
    )
    await handledCount(4)
    expect(released).toBe(0)
  })

  it('has given back what it could not start when it stops', async () => {
    await Promise.all(Array.from({ length: 300 }, () => inbox.add(newEntry())))
    const { running, started } = await startTurningSlow({ quick: 100, concurrency: 4 })
    await eventually('the handlers to be slow', () => started() === 104)
    await running.stop(0)
    expect(started()).toBe(104)
    expect(await inbox.counts()).toMatchObject({ handled: 100, pending: 200, running: 0 })
    const attempts = (await inbox.list({ states: ['pending'] }, { limit: 300 })).map((entry) => entry.attempts)
    expect(attempts.filter((count) => count === 0)).toHaveLength(196)
  })

  it('starts an entry when it is added, without waiting for its next look', async () => {
    // Without timers an idle worker never looks again by itself.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const isIdle = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const added = start(
      async () => {
        started.resolve()
        return handled
      },
      {
        on: {
          ...inbox,
          async claim(request) {
            const leases = await inbox.claim(request)
            if (leases.length === 0) isIdle.resolve()
            return leases
          },
        },
      },
    )
    await isIdle.promise
    expect(await added.add(newEntry())).toBe('added')
    await started.promise
  })

  describe('hands over', () => {
    /** A worker that is idle, whose claims from then on find nothing, so that only what is handed over runs. */
    async function startIdle(dispatch: Dispatch, concurrency = 4) {
      const isIdle = Promise.withResolvers<void>()
      const offers: boolean[] = []
      const idle = start(dispatch, {
        concurrency,
        on: {
          ...inbox,
          async claim() {
            isIdle.resolve()
            return []
          },
          add(entry, lease) {
            offers.push(lease !== undefined)
            return inbox.add(entry, lease)
          },
        },
      })
      await isIdle.promise
      await new Promise(setImmediate)
      return { idle, offers }
    }

    it('what arrives while a place is free: it is leased as it is stored, and runs after its sender was told', async () => {
      const steps: string[] = []
      const { idle } = await startIdle(async ({ entry, attempt, body }) => {
        steps.push(`${entry.eventId} attempt ${attempt}`)
        expect(Buffer.from(body).toString()).toContain(entry.eventId)
        return handled
      })
      const entry = newEntry()
      await idle.add(entry).then((added) => steps.push(added))
      await handledCount(1)
      expect(steps).toEqual(['added', `${entry.eventId} attempt 1`])
      expect(await inbox.get(entry.eventId)).toMatchObject({
        entry: { state: 'handled', attempts: 1 },
        attempts: [{ number: 1, outcome: 'handled' }],
      })
    })

    it('what comes in two answers of the store within one turn', async () => {
      const leases = await Promise.all([newEntry(), newEntry()].map((entry) => inbox.add(entry, { leaseMs: 60_000 })))
      let released = 0
      let started = 0
      const isIdle = Promise.withResolvers<void>()
      const idle = start(
        async () => {
          started += 1
          return handled
        },
        {
          on: {
            ...inbox,
            claim: async () => {
              isIdle.resolve()
              return []
            },
            add: async () => leases.pop() ?? 'duplicate',
            release: async () => {
              released += 1
            },
          },
        },
      )
      await isIdle.promise
      await new Promise(setImmediate)
      void idle.add(newEntry())
      process.nextTick(() => process.nextTick(() => void idle.add(newEntry())))
      await eventually('both to start', () => started === 2)
      expect(released).toBe(0)
    })

    it('nothing beyond its places', async () => {
      const gate = Promise.withResolvers<void>()
      let started = 0
      const { idle, offers } = await startIdle(async () => {
        started += 1
        await gate.promise
        return handled
      }, 2)
      await Promise.all(Array.from({ length: 5 }, () => idle.add(newEntry())))
      expect(offers).toEqual([true, true, false, false, false])
      await eventually('both places to be taken', () => started === 2)
      expect(await inbox.counts()).toMatchObject({ running: 2, pending: 3 })
      gate.resolve()
      await handledCount(2)
    })

    it('nothing while more is due than it claimed', async () => {
      await Promise.all(Array.from({ length: 20 }, () => inbox.add(newEntry())))
      const gate = Promise.withResolvers<void>()
      let offered = 0
      const behind = start(
        async () => {
          await gate.promise
          return handled
        },
        {
          on: {
            ...inbox,
            add(entry, lease) {
              offered += lease === undefined ? 0 : 1
              return inbox.add(entry, lease)
            },
          },
        },
      )
      await eventually('its places to be taken', async () => (await inbox.counts()).running === 4)
      await behind.add(newEntry())
      expect(offered).toBe(0)
      gate.resolve()
      await handledCount(21)
    })

    it('and gives back what comes while it stops, its attempt not counted', async () => {
      const entry = newEntry()
      const { idle } = await startIdle(async () => handled)
      const adding = idle.add(entry)
      await idle.stop(1_000)
      expect(await adding).toBe('added')
      expect((await inbox.get(entry.eventId))?.entry).toMatchObject({ state: 'pending', attempts: 0 })
    })
  })

  it('does not spin while it is idle', async () => {
    let claims = 0
    start(async () => handled, {
      on: {
        ...inbox,
        claim: async () => {
          claims += 1
          return []
        },
      },
    })
    await eventually('three looks', () => claims >= 3)
    const [before, since] = [claims, performance.now()]
    await eventually('two more looks', () => claims >= before + 2)
    expect((claims - before) / (performance.now() - since)).toBeLessThan(1 / 200)
  })

  it('goes on with the next of a lane as soon as the one before has settled', async () => {
    await Promise.all(Array.from({ length: 30 }, () => inbox.add(newEntry({ lane: '/one' }))))
    let running = 0
    start(async () => {
      running += 1
      expect(running).toBe(1)
      await new Promise(setImmediate)
      running -= 1
      return handled
    })
    const since = performance.now()
    await handledCount(30)
    // Polling alone would take 30 × 500 ms.
    expect(performance.now() - since).toBeLessThan(7_500)
  })

  it('tells that a result was not recorded because the lease was lost', async () => {
    await inbox.add(newEntry())
    start(async () => handled, { on: { ...inbox, settle: async () => false } })
    await eventually('the log to tell', () => captured.text().includes('lease was lost'))
    expect(captured.text()).not.toContain('event handled')
  })

  it('knows its own result when the store recorded it and its answer was lost', async () => {
    let answersLost = 0
    await inbox.add(newEntry())
    start(async () => handled, {
      on: {
        ...inbox,
        async settle(lease, outcome) {
          const isSettled = await inbox.settle(lease, outcome)
          if (answersLost > 0) return isSettled
          answersLost += 1
          throw new ReceiverError('store_unavailable', 'The connection broke.')
        },
      },
    })
    await eventually('it to be told', () => captured.lines().some(({ msg }) => msg === 'event handled'))
    expect(captured.text()).not.toContain('lease was lost')
  })

  it('tries again when the store does not answer, to claim and to settle', async () => {
    const entry = newEntry()
    await inbox.add(entry)
    const failures = { claim: 1, settle: 1 }
    const fail = () => Promise.reject(new ReceiverError('store_unavailable', 'locked'))
    let runs = 0
    start(
      async () => {
        runs += 1
        return handled
      },
      {
        on: {
          ...inbox,
          claim: (request) => (failures.claim-- > 0 ? fail() : inbox.claim(request)),
          settle: (lease, outcome) => (failures.settle-- > 0 ? fail() : inbox.settle(lease, outcome)),
        },
      },
    )
    await handledCount(1)
    expect(runs).toBe(1)
    expect(captured.text()).toContain('cannot claim')
    expect(captured.text()).toContain('cannot settle')
  })

  it('records what ended while the store was away before it claims anything, however long that was', async () => {
    await Promise.all([inbox.add(newEntry()), inbox.add(newEntry())])
    let isAway = false
    const steps: string[] = []
    const unlessAway = <T>(step: string, work: () => Promise<T>) => {
      if (isAway) return Promise.reject(new ReceiverError('store_unavailable', 'away'))
      steps.push(step)
      return work()
    }
    const gate = Promise.withResolvers<void>()
    start(
      async () => {
        await gate.promise
        return handled
      },
      {
        concurrency: 2,
        leaseMs: 1,
        on: {
          ...inbox,
          claim: (request) => unlessAway('claim', () => inbox.claim(request)),
          settle: (lease, outcome) => unlessAway('settle', () => inbox.settle(lease, outcome)),
        },
      },
    )
    await eventually('both to run', async () => (await inbox.counts()).running === 2)
    isAway = true
    gate.resolve()
    await eventually('both to fail to settle', () => captured.text().split('cannot settle; will try again').length > 2)
    steps.length = 0
    isAway = false
    await handledCount(2)
    expect(steps.slice(0, 2)).toEqual(['settle', 'settle'])
  })

  it('gives up for good, with a reason, what the store refuses to record', async () => {
    const entry = newEntry()
    await inbox.add(entry)
    const reason = expect.stringContaining('could not be recorded')
    const ended: Outcome[] = []
    start(async () => handled, {
      onAttemptEnded: (_lease, outcome) => ended.push(outcome),
      on: {
        ...inbox,
        settle: (lease, outcome) =>
          outcome.state === 'handled' ? Promise.reject(new Error('no such column')) : inbox.settle(lease, outcome),
      },
    })
    const dead = { eventId: entry.eventId, msg: 'event is dead; replay it once the cause is mended' }
    await eventually('it to be told of', () => ended.length > 0)
    expect((await inbox.get(entry.eventId))?.entry).toMatchObject({ state: 'dead', reason })
    expect(ended).toEqual([{ state: 'dead', error: reason }])
    expect(captured.lines()).toContainEqual(expect.objectContaining({ ...dead, reason }))
  })

  it('finishes what runs when it stops, and takes nothing new', async () => {
    await inbox.add(newEntry())
    const gate = Promise.withResolvers<void>()
    let runs = 0
    const stopping = start(async () => {
      runs += 1
      await gate.promise
      return handled
    })
    await eventually('the handler to run', () => runs === 1)
    const stopped = stopping.stop(60_000)
    expect(await stopping.add(newEntry())).toBe('added')
    gate.resolve()
    await stopped
    expect(await inbox.counts()).toMatchObject({ handled: 1, pending: 1 })
    expect(runs).toBe(1)
  })

  it('aborts what still runs after the grace, and leaves it to be retried', async () => {
    await inbox.add(newEntry())
    let isRunning = false
    const stopping = start(async (_lease, shutdown) => {
      isRunning = true
      await new Promise((resolve) => shutdown.addEventListener('abort', resolve))
      return { outcome: { state: 'pending', retryInMs: 0, error: 'stopped' } }
    })
    await eventually('the handler to run', () => isRunning)
    await stopping.stop(10)
    expect(await inbox.counts()).toMatchObject({ pending: 1, running: 0 })
  })
})
