import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { createDelivery, type Delivery, post, sendLoad } from '../support/load.ts'
import { openPostgresGate } from '../support/postgres-gate.ts'
import { allSettled, LEASE_MS, makePostgresProcesses } from '../support/postgres-processes.ts'
import { planPostgresSchema } from '../support/postgres-schema.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { createProcessSteps } from '../support/postgres-steps.ts'
import { readRecord } from '../support/recording-handlers.ts'
import type { ServerProcess } from '../support/spawn-server.ts'

const EVENTS = 3_000
const CONNECTIONS = 16
/** Sent to both receivers at once. */
const REPEATED_SHARE = 0.1
const BUSY_LANES = 8
const BUSY_LANE_SHARE = 0.2
const SLOW_SHARE = 0.3
const SLOWEST_MS = 150
const KILL_EVERY_MS = 1_000
const FEWEST_KILLS = 5
/** That many at once are slow ones, for the most part. */
const BUSY_RUNNING = 4

function createMixedDelivery(): Delivery {
  const objectId = `pi_busy_${Math.floor(Math.random() * BUSY_LANES)}`
  const ask = Math.random() < SLOW_SHARE ? { ms: String(Math.ceil(Math.random() * SLOWEST_MS)) } : {}
  return createDelivery({ ask, ...(Math.random() < BUSY_LANE_SHARE ? { objectId } : {}) })
}

it('four processes that start at once on an empty database all become ready, and make one inbox', async () => {
  await using schema = planPostgresSchema()
  await using gate = await openPostgresGate(schema.url, 4)
  await using processes = await makePostgresProcesses(gate.url)
  const started = await Promise.allSettled(Array.from({ length: 4 }, () => processes.start('all')))
  expect(started.filter(({ status }) => status === 'rejected')).toEqual([])
  const servers = started.flatMap((start) => (start.status === 'fulfilled' ? start.value : []))
  expect(new Set(servers.map(({ pid }) => pid)).size).toBe(4)
  const readiness = await Promise.all(servers.map(({ url }) => fetch(`${url}/readyz`)))
  expect(readiness.map(({ status }) => status)).toEqual(servers.map(() => 200))
  const migrations = readdirSync(new URL('../../src/inbox/postgres/migrations/', import.meta.url))
  expect(await schema.query('SELECT version FROM migration')).toHaveLength(migrations.length)

  const delivery = createDelivery()
  const answers = await Promise.all(servers.map(({ url }) => post(url, delivery)))
  expect(answers.map(({ status }) => status)).toEqual(servers.map(() => 200))
  const inbox = await processes.open()
  await allSettled(inbox)
  expect(await inbox.counts()).toMatchObject({ handled: 1 })
  expect(readRecord(processes.record).steps.map(({ step }) => step)).toEqual(['started', 'handled'])
})

/** Each waits for leases to end, so they wait together. */
describe.concurrent('processes on one Postgres', () => {
  it('handle each of 3,000 events once, while one worker of four is killed every second', async () => {
    await using schema = planPostgresSchema()
    await using processes = await makePostgresProcesses(schema.url)
    const [sent, statuses] = [new Map<string, Delivery>(), new Map<string, Set<number>>()]
    const steps = createProcessSteps(processes.record, (eventId) => sent.get(eventId)?.objectId)
    const start = (roles: readonly ('receive' | 'work')[]) => Promise.all(roles.map((role) => processes.start(role)))
    const [receivers, workers] = await Promise.all([
      start(['receive', 'receive']),
      start(['work', 'work', 'work', 'work']),
    ])

    const repeats: Delivery[][] = receivers.map(() => [])
    function next(receiver: number): Delivery | undefined {
      const again = repeats[receiver]?.pop()
      if (again !== undefined || sent.size === EVENTS) return again
      const delivery = createMixedDelivery()
      sent.set(delivery.eventId, delivery)
      if (Math.random() < REPEATED_SHARE) repeats[1 - receiver]?.push(delivery)
      return delivery
    }

    function findBusy(): ServerProcess | undefined {
      steps.read()
      return workers.find(({ pid }) => steps.runningIn(pid) >= BUSY_RUNNING)
    }

    let isSent = false
    async function killWorkers(): Promise<void> {
      for (let kills = 0; !isSent || kills < FEWEST_KILLS; kills += 1) {
        if (kills > 0) await delay(KILL_EVERY_MS)
        // All may be handled before the second kill.
        const busy = kills === 0 ? await eventually('a worker to be busy', findBusy) : undefined
        const place = busy ? workers.indexOf(busy) : Math.floor(Math.random() * workers.length)
        const [victim] = workers.splice(place, 1)
        if (victim === undefined) throw new Error('no worker is left to kill')
        await processes.kill(victim)
        steps.onKilled(victim.pid)
        workers.push(await processes.start('work'))
      }
    }

    const killing = killWorkers()
    const loads = receivers.map(({ url }, receiver) =>
      sendLoad({
        url,
        connections: CONNECTIONS,
        next: () => next(receiver),
        onAnswer: ({ eventId }, status) => statuses.set(eventId, (statuses.get(eventId) ?? new Set()).add(status)),
      }),
    )
    await Promise.all(loads)
    isSent = true
    await killing
    const inbox = await processes.open()
    await allSettled(inbox)
    steps.read()

    expect(statuses.size).toBe(EVENTS)
    expect([...statuses].filter(([, got]) => got.size !== 1 || !got.has(200))).toEqual([])
    expect(steps.problems).toEqual([])
    expect(await inbox.counts()).toMatchObject({ handled: EVENTS, dead: 0, unhandled: 0, parked: 0 })
    expect([...sent.keys()].filter((eventId) => steps.startsOf(eventId) === 0)).toEqual([])
    const attempts = await schema.query(`
      SELECT event_id, array_agg(number ORDER BY number) = ARRAY(SELECT generate_series(1, entry.attempts)) AS all_recorded,
             count(*) FILTER (WHERE outcome = 'handled') AS handled, count(*) FILTER (WHERE outcome = 'lost') AS lost
      FROM entry JOIN attempt USING (seq) GROUP BY entry.seq`)
    expect(attempts).toHaveLength(EVENTS)
    expect(attempts.filter(({ all_recorded, handled }) => !all_recorded || handled !== '1')).toEqual([])
    // Otherwise the kills met too little to say anything.
    expect(attempts.filter(({ lost }) => lost !== '0').length).toBeGreaterThan(0)
  })

  it('settle nothing late after a pause that was longer than the lease', async () => {
    await using schema = planPostgresSchema()
    await using processes = await makePostgresProcesses(schema.url)
    const [receiver, paused] = await Promise.all([processes.start('receive'), processes.start('work')])
    const steps = () => readRecord(processes.record).steps.map(({ step, attempt, pid }) => ({ step, attempt, pid }))
    const delivery = createDelivery({ ask: { ms: '400' } })
    expect((await post(receiver.url, delivery)).status).toBe(200)
    await eventually('the handler to start', () => steps().length === 1)
    paused.kill('SIGSTOP')
    const other = await processes.start('work')
    const inbox = await processes.open()
    // A look may fail on a busy machine.
    const look = () => inbox.get(delivery.eventId).catch(() => undefined)
    const isHandled = async () => (await look())?.entry.state === 'handled'
    await eventually('the other to handle it', isHandled, LEASE_MS + 20_000)
    const settled = await inbox.get(delivery.eventId)
    expect(settled?.attempts).toMatchObject([
      { number: 1, outcome: 'lost' },
      { number: 2, outcome: 'handled' },
    ])
    paused.kill('SIGCONT')
    const isTold = () => paused.lines().some((line) => String(line.msg).startsWith('lease was lost'))
    await eventually('the paused one to notice', isTold)
    expect(await inbox.get(delivery.eventId)).toEqual(settled)
    expect(steps().toSorted((a, b) => a.attempt - b.attempt)).toEqual([
      { step: 'started', attempt: 1, pid: paused.pid },
      { step: 'handled', attempt: 1, pid: paused.pid },
      { step: 'started', attempt: 2, pid: other.pid },
      { step: 'handled', attempt: 2, pid: other.pid },
    ])
  })

  it('lose nothing that was acknowledged when Postgres crashes under load, and go on by themselves', async () => {
    // Its own server, since others use the one of all tests.
    await using postgres = await startPostgres()
    await using processes = await makePostgresProcesses(postgres.url)
    const [receiver] = await Promise.all([processes.start('receive'), processes.start('work')])
    const waiting: Delivery[] = []
    const answered = new Map<string, Delivery>()
    const unexpected: number[] = []
    let made = 0
    const next = () => waiting.pop() ?? (made++ < 1_000 ? createMixedDelivery() : undefined)
    function onAnswer(delivery: Delivery, status: number): void {
      if (status === 200) answered.set(delivery.eventId, delivery)
      else waiting.push(delivery)
      if (status !== 200 && status !== 503) unexpected.push(status)
    }
    const load = sendLoad({ url: receiver.url, connections: 8, next, onAnswer })
    for (const share of [200, 600]) {
      await eventually('some of the load to be answered', () => answered.size > share)
      await postgres.restart()
    }
    await load

    await postgres.stop()
    const [readiness, answer] = await Promise.all([
      fetch(`${receiver.url}/readyz`),
      post(receiver.url, createDelivery()),
    ])
    expect([readiness.status, answer.status, answer.headers['retry-after']]).toEqual([503, 503, '5'])
    await postgres.start()
    await eventually('it to be ready', async () => (await fetch(`${receiver.url}/readyz`)).ok)

    for (const delivery of waiting.splice(0)) onAnswer(delivery, (await post(receiver.url, delivery)).status)
    expect(unexpected).toEqual([])
    expect(answered.size).toBe(1_000)
    const inbox = await processes.open()
    await allSettled(inbox)
    expect(await inbox.counts()).toMatchObject({ handled: 1_000, dead: 0 })
    for (const eventId of answered.keys()) expect((await inbox.get(eventId))?.entry.state, eventId).toBe('handled')
  })
})
