import { serveTask } from './child-task.ts'
import { type Connection, openConnection } from './connection.ts'
import { createDeliveries, type Deliveries } from './deliveries.ts'
import { quantile } from './statistics.ts'

export interface LoadRequest {
  readonly port: number
  readonly connections: number
  readonly warmUpSeconds: number
  readonly seconds: number
}

export interface LoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** The measured time, in milliseconds since the epoch. */
  readonly fromAt: number
  readonly untilAt: number
  /** All that were sent and answered 200, those of the warm-up too. */
  readonly answered: number
  /** Share of the measured time in which the generator had work: well below 1, or it was the bottleneck. */
  readonly generatorBusy: number
}

/** Deliveries made ready for each second. A faster server empties the pool and ends the run early, which changes no rate. */
const DELIVERIES_PER_SECOND = 24_000

serveTask(async (request: LoadRequest): Promise<LoadResult> => {
  const total = Math.ceil((request.warmUpSeconds + request.seconds) * DELIVERIES_PER_SECOND)
  const deliveries = createDeliveries(total)
  const connections = await Promise.all(Array.from({ length: request.connections }, () => openConnection(request.port)))
  const run = createRun(request, deliveries)
  const driven = Promise.all(connections.map((connection) => drive(connection, run)))
  await Promise.race([driven, ...connections.map(({ broken }) => broken)])
  for (const connection of connections) connection.close()
  return run.summarize()
})

interface Run {
  /** The next delivery; undefined when the run is over. */
  next(now: number): Uint8Array | undefined
  record(sentAt: number, answeredAt: number): void
  summarize(): LoadResult
}

function createRun({ warmUpSeconds, seconds }: LoadRequest, deliveries: Deliveries): Run {
  const latencies: number[] = []
  const from = performance.now() + warmUpSeconds * 1_000
  let until = from + seconds * 1_000
  let sent = 0
  let idleAt: ReturnType<typeof performance.eventLoopUtilization> | undefined
  return {
    next(now) {
      if (sent === deliveries.count) until = Math.min(until, now)
      if (now >= until) return undefined
      sent += 1
      return deliveries.request(sent - 1)
    },
    record(sentAt, answeredAt) {
      if (answeredAt < from || answeredAt > until) return
      idleAt ??= performance.eventLoopUtilization()
      latencies.push(answeredAt - sentAt)
    },
    summarize() {
      if (latencies.length === 0) throw new Error('nothing was answered after the warm-up: give the run more seconds')
      return {
        perSecond: (latencies.length * 1_000) / (until - from),
        p50Ms: quantile(latencies, 0.5),
        p99Ms: quantile(latencies, 0.99),
        fromAt: Math.round(performance.timeOrigin + from),
        untilAt: Math.round(performance.timeOrigin + until),
        answered: sent,
        generatorBusy: performance.eventLoopUtilization(idleAt).utilization,
      }
    },
  }
}

/** Sends one delivery after the other; rejects at the first answer that is not 200, since such a run measures something else. */
function drive(connection: Connection, run: Run): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let sentAt = 0
  function sendNext(now: number): void {
    const request = run.next(now)
    sentAt = now
    if (request === undefined) resolve()
    else connection.send(request, onAnswer)
  }
  function onAnswer(status: number): void {
    const now = performance.now()
    run.record(sentAt, now)
    if (status === 200) sendNext(now)
    else reject(new Error(`expected every answer to be 200, got ${status}`))
  }
  sendNext(performance.now())
  return promise
}
