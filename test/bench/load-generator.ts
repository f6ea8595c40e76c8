import type { EventType } from '../../src/event.ts'
import { serveTask } from './child-task.ts'
import { type Connection, openConnection } from './connection.ts'
import { createDeliveries, type Deliveries } from './deliveries.ts'
import { readProcessorMs } from './proc.ts'
import { quantile } from './statistics.ts'

export interface LoadRequest {
  readonly port: number
  /** The server's process, whose processor time is read. */
  readonly pid: number
  readonly connections: number
  readonly warmUpSeconds: number
  readonly seconds: number
  /** Sent at fixed times, whether or not those before them were answered; unless told, each connection sends as fast as it is answered. */
  readonly perSecond?: number
  /** Number of the first one's id, 0 unless told: an inbox that is used again needs others. */
  readonly from?: number
  /** Of the events, `payment_intent.succeeded` unless told. */
  readonly type?: EventType
  /** 503 is counted, and no fault. */
  readonly mayRefuse?: boolean
}

export interface LoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** The measured time, in milliseconds since the epoch. */
  readonly fromAt: number
  readonly untilAt: number
  /** All that were sent and answered 200, those of the warm-up too. */
  readonly answered: number
  readonly refused: number
  /** That the server's threads took in the measured time; undefined where there is no /proc. */
  readonly processorMs: number | undefined
  /** Share of the measured time in which the generator had work: well below 1, or it was the bottleneck. */
  readonly generatorBusy: number
}

/** Deliveries made ready for each second. A faster server empties the pool and ends the run early, which changes no rate. */
const DELIVERIES_PER_SECOND = 24_000

serveTask(async (request: LoadRequest): Promise<LoadResult> => {
  const { warmUpSeconds, seconds, perSecond = DELIVERIES_PER_SECOND, from, type } = request
  const deliveries = createDeliveries(Math.ceil((warmUpSeconds + seconds) * perSecond), from, type)
  const connections = await Promise.all(Array.from({ length: request.connections }, () => openConnection(request.port)))
  const run = createRun(request, deliveries)
  const driven = Promise.all(connections.map((connection) => drive(connection, run)))
  await Promise.race([driven, ...connections.map(({ broken }) => broken)])
  for (const connection of connections) connection.close()
  return run.summarize()
})

interface Delivery {
  readonly request: Uint8Array
  /** When to send it. */
  readonly dueAt: number
}

interface Run {
  /** Undefined when the run is over. */
  next(now: number): Delivery | undefined
  /** False for an answer that the run does not want: it would measure something else. */
  record(status: number, times: { dueAt: number; sentAt: number; answeredAt: number }): boolean
  summarize(): LoadResult
}

function createRun(
  { pid, warmUpSeconds, seconds, perSecond, mayRefuse = false }: LoadRequest,
  deliveries: Deliveries,
): Run {
  const latencies: number[] = []
  const startedAt = performance.now()
  const from = startedAt + warmUpSeconds * 1_000
  let until = from + seconds * 1_000
  let sent = 0
  let refused = 0
  let atFirst: ReturnType<typeof readMeters> | undefined

  // What was to be sent at a fixed time counts however late its answer is; else what was answered in time makes the rate.
  const isMeasured = (dueAt: number, answeredAt: number) =>
    perSecond === undefined ? answeredAt >= from && answeredAt <= until : dueAt >= from

  const readMeters = () => ({ busy: performance.eventLoopUtilization(), processorMs: readProcessorMs(pid) })

  return {
    next(now) {
      const dueAt = perSecond === undefined ? now : startedAt + (sent * 1_000) / perSecond
      if (sent === deliveries.count && perSecond === undefined) until = Math.min(until, now)
      if (sent === deliveries.count || dueAt >= until) return undefined
      sent += 1
      return { request: deliveries.request(sent - 1), dueAt }
    },
    record(status, { dueAt, sentAt, answeredAt }) {
      if (answeredAt >= from) atFirst ??= readMeters()
      if (status === 200 && isMeasured(dueAt, answeredAt)) latencies.push(answeredAt - sentAt)
      const isRefusal = status === 503 && mayRefuse
      if (isRefusal) refused += 1
      return status === 200 || isRefusal
    },
    summarize() {
      if (latencies.length === 0) throw new Error('nothing was answered after the warm-up: give the run more seconds')
      const { busy, processorMs } = readMeters()
      return {
        perSecond: (latencies.length * 1_000) / (until - from),
        p50Ms: quantile(latencies, 0.5),
        p99Ms: quantile(latencies, 0.99),
        p999Ms: quantile(latencies, 0.999),
        fromAt: Math.round(performance.timeOrigin + from),
        untilAt: Math.round(performance.timeOrigin + until),
        answered: sent - refused,
        refused,
        processorMs: processorMs === undefined ? undefined : processorMs - (atFirst?.processorMs ?? Number.NaN),
        generatorBusy: performance.eventLoopUtilization(busy, atFirst?.busy).utilization,
      }
    },
  }
}

/** Sends one delivery after the other; rejects when the run does not want an answer. */
function drive(connection: Connection, run: Run): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  function sendNext(now: number): void {
    const next = run.next(now)
    // Late because no connection was free counts as waiting; late by a timer's millisecond does not.
    if (next === undefined) resolve()
    else if (next.dueAt <= now) send(next, next.dueAt)
    else setTimeout(() => send(next, performance.now()), next.dueAt - now)
  }
  function send({ request, dueAt }: Delivery, sentAt: number): void {
    connection.send(request, (status) => {
      const answeredAt = performance.now()
      if (run.record(status, { dueAt, sentAt, answeredAt })) sendNext(answeredAt)
      else reject(new Error(`expected every answer to be 200, got ${status}`))
    })
  }
  sendNext(performance.now())
  return promise
}
