import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ReceiverError } from '../../src/errors.ts'
import type { Lease } from '../../src/event.ts'
import type { Inbox } from '../../src/inbox/inbox.ts'
import type { Dispatch } from '../../src/worker/dispatch.ts'
import { startWorker, type Worker } from '../../src/worker/worker.ts'
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

function start(
  dispatch: Dispatch,
  { concurrency = 4, leaseMs = 60_000, on = inbox }: { concurrency?: number; leaseMs?: number; on?: Inbox } = {},
): Worker {
  worker = startWorker({ inbox: on, dispatch, log: captured.log, concurrency, leaseMs })
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

  /** Quick ones first, so that the worker claims ahead; from then on handlers wait for the gate, or for the end. */
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

  it('claims ahead of quick handlers, and gives back what slow ones cannot start soon', async () => {
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

  it('gives back what it claimed ahead when it stops', async () => {
    await Promise.all(Array.from({ length: 300 }, () => inbox.add(newEntry())))
    const { running, started } = await startTurningSlow({ quick: 100, concurrency: 4 })
    await eventually('the handlers to be slow', () => started() === 104)
    await running.stop(0)
    expect(started()).toBe(104)
    expect(await inbox.counts()).toMatchObject({ handled: 100, pending: 200, running: 0 })
    const attempts = (await inbox.list({ states: ['pending'] }, { limit: 300 })).map((entry) => entry.attempts)
    expect(attempts.filter((count) => count === 0)).toHaveLength(196)
  })

  it('starts an entry when nudged, without waiting for its next look', async () => {
    // Without timers an idle worker never looks again by itself.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const isIdle = Promise.withResolvers<void>()
    const started = Promise.withResolvers<void>()
    const nudged = start(
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
    await inbox.add(newEntry())
    nudged.nudge()
    await started.promise
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

  it('does not record a result after the lease was lost', async () => {
    const entry = newEntry()
    await inbox.add(entry)
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const attempts: number[] = []
    start(
      async (lease: Lease) => {
        attempts.push(lease.attempt)
        await gates[lease.attempt === 1 ? 0 : 1]?.promise
        return lease.attempt === 1 ? { outcome: { state: 'dead', error: 'late' } } : handled
      },
      { leaseMs: 1 },
    )
    await eventually('the second attempt', () => attempts.length >= 2)
    gates[0]?.resolve()
    await eventually('the late result', () => captured.text().includes('lease was lost'))
    const found = await inbox.get(entry.eventId)
    gates[1]?.resolve()
    expect(found?.attempts[0]).toMatchObject({ number: 1, outcome: 'lost' })
    expect(found?.entry.state).not.toBe('dead')
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
    await inbox.add(newEntry())
    stopping.nudge()
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
