import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../support/eventually.ts'
import { type BenchContext, handlersPath, inboxFile, makeFolder } from './bench-context.ts'
import { openConnection } from './connection.ts'
import { createDeliveries, idOf } from './deliveries.ts'
import { checkoutOf, type Rounds, takeTurns, turnsOf } from './rounds.ts'
import { startServer } from './server-process.ts'
import { quantile } from './statistics.ts'

export interface IdleResult {
  /** From the answer's arrival to the handler's start; below zero when the handler was faster. */
  readonly startP50Ms: number
  readonly startP99Ms: number
  /** From sending a delivery to its answer. */
  readonly answerP50Ms: number
}

/** Long enough for an attempt to be settled, so that the server is idle again. */
const PAUSE_MS = 15
/** Sent before and not counted. */
const WARM_UP = 50

/** How soon an idle server starts a handler: deliveries one by one. */
export function measureIdle(context: BenchContext): Promise<Rounds<IdleResult>> {
  const count = context.plan.idleDeliveries + WARM_UP
  return takeTurns(context, turnsOf(context, 'idle'), async ({ whose }) => {
    await using folder = await makeFolder(context)
    const startsFile = join(folder.path, 'starts.txt')
    await using server = await startServer(checkoutOf(context, whose), folder.path, {
      DATABASE_URL: `file:${inboxFile(folder.path)}`,
      HANDLERS: handlersPath('recording-handlers'),
      BENCH_STARTS_FILE: startsFile,
    })
    const times = await deliverOneByOne(server.port, count)
    const starts = await eventually('every handler to have started', async () => {
      const found = parseStarts(await readFile(startsFile, 'utf8'))
      return found.size === count && found
    })
    return summarize(times.slice(WARM_UP), starts)
  })
}

/** Nanoseconds of the clock that all processes of a machine share. */
interface Times {
  readonly eventId: string
  readonly sentAt: bigint
  readonly answeredAt: bigint
}

async function deliverOneByOne(port: number, count: number): Promise<Times[]> {
  const deliveries = createDeliveries(count)
  const connection = await openConnection(port)
  const times: Times[] = []
  try {
    for (let index = 0; index < count; index += 1) {
      const answered = Promise.withResolvers<bigint>()
      const sentAt = process.hrtime.bigint()
      connection.send(deliveries.request(index), (status) => {
        if (status === 200) answered.resolve(process.hrtime.bigint())
        else answered.reject(new Error(`expected 200, got ${status}`))
      })
      const answeredAt = await Promise.race([answered.promise, connection.broken])
      times.push({ eventId: `evt_${idOf(index)}`, sentAt, answeredAt })
      await delay(PAUSE_MS)
    }
  } finally {
    connection.close()
  }
  return times
}

/** Lines of recording-handlers.ts. */
function parseStarts(text: string): ReadonlyMap<string, bigint> {
  const lines = text.trim().split('\n')
  return new Map(
    lines.map((line) => {
      const [eventId = '', startedAt = ''] = line.split(' ')
      return [eventId, BigInt(startedAt)]
    }),
  )
}

function summarize(times: readonly Times[], starts: ReadonlyMap<string, bigint>): IdleResult {
  const startMs = times.map(({ eventId, answeredAt }) => {
    const startedAt = starts.get(eventId)
    if (startedAt === undefined) throw new Error(`the handler of ${eventId} was not started`)
    return toMs(startedAt - answeredAt)
  })
  return {
    startP50Ms: quantile(startMs, 0.5),
    startP99Ms: quantile(startMs, 0.99),
    answerP50Ms: quantile(
      times.map(({ sentAt, answeredAt }) => toMs(answeredAt - sentAt)),
      0.5,
    ),
  }
}

const toMs = (nanoseconds: bigint) => Number(nanoseconds) / 1e6
