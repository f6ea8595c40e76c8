import { WITHIN_MS } from './bench-answers.ts'
import type { ClaimResult } from './claim-process.ts'
import type { LoadResult } from './load-generator.ts'
import { DELIVERIES_PER_SECOND, REQUESTS_PER_SECOND } from './measure-answers.ts'
import type { ClaimName } from './measure-claims.ts'
import { drainNames, drains } from './measure-drain.ts'
import type { IdleResult } from './measure-idle.ts'
import { compare, ownTurn, type Rounds, ratioOf } from './rounds.ts'
import { createRow, type Row } from './row.ts'

const CLAIM_GROWTH = 1.5
/** By how much a reply may be later than its time. */
const LATE_MS = 100
/** For an entry that waits behind many of one lane. */
const OTHER_LANE_MS = 50

/** Rates of the rounds; those of several workers are compared with the same store's single one. */
export function createDrainRows(rates: Rounds<number>, entries: number): Row[] {
  const measured = drainNames.filter((name) => rates.has(name))
  return measured.map((name) => {
    const { title, atLeast, beside } = drains[name]
    const row = {
      name: `draining ${entries.toLocaleString('en')} entries, ${title}`,
      unit: '/s',
      ...compare(rates, name, (rate) => rate),
    }
    if (beside === undefined) return createRow({ ...row, target: { of: 'value', atLeast } })
    const ratio = ratioOf(rates, ownTurn(name), ownTurn(beside), (rate) => rate)
    return createRow({ ...row, ratio, target: { of: 'ratio', atLeast } })
  })
}

/** `place` tells where: empty, or such as ` on Postgres`. */
export function createClaimRows(rounds: Rounds<readonly ClaimResult[]>, name: ClaimName, place = ''): Row[] {
  const cases = rounds.get(name)?.flat() ?? []
  const compareCase = (found: ClaimResult, pick: (result: ClaimResult) => number | undefined) =>
    compare(rounds, name, (results) => {
      const same = results.find((result) => result.name === found.name)
      return same && pick(same)
    })
  const createCostRows = (title: string, pick: (result: ClaimResult) => number): Row[] =>
    cases.map((found, index) => {
      const row = { name: `${title}: ${found.name}`, unit: 'µs', ...compareCase(found, pick) }
      const [first = found] = cases
      const ratio = row.value / pick(first)
      return createRow(
        index === 0 ? { ...row, ratio } : { ...row, ratio, target: { of: 'ratio', atMost: CLAIM_GROWTH } },
      )
    })
  return [
    ...createCostRows(`claim of 16${place}`, ({ claimUs }) => claimUs),
    ...createCostRows(`claim of 16 and settles${place}`, ({ claimAndSettleUs }) => claimAndSettleUs),
    ...cases.flatMap((found) => {
      const compared = compareCase(found, ({ firstOfAnotherLaneMs }) => firstOfAnotherLaneMs)
      if (Number.isNaN(compared.value)) return []
      const target = { of: 'value', atMost: OTHER_LANE_MS } as const
      return createRow({ name: `first of another lane: ${found.name}`, unit: 'ms', ...compared, target })
    }),
  ]
}

export function createIdleRows(rounds: Rounds<IdleResult>): Row[] {
  return [
    createRow({
      name: 'idle: delivery to answer, p50',
      unit: 'ms',
      ...compare(rounds, 'idle', ({ answerP50Ms }) => answerP50Ms),
    }),
    createRow({
      name: 'idle: answered to handler started, p50',
      unit: 'ms',
      ...compare(rounds, 'idle', ({ startP50Ms }) => startP50Ms),
      target: { of: 'value', atMost: 3 },
    }),
    createRow({
      name: 'idle: answered to handler started, p99',
      unit: 'ms',
      ...compare(rounds, 'idle', ({ startP99Ms }) => startP99Ms),
    }),
  ]
}

/** Replies to requests beside deliveries: none may be later than its time and a little. */
export function createAnswerRows(rounds: Rounds<LoadResult>): Row[] {
  const title = `request to reply, ${REQUESTS_PER_SECOND}/s beside ${DELIVERIES_PER_SECOND.toLocaleString('en')} deliveries/s`
  const target = { of: 'value', atMost: WITHIN_MS + LATE_MS } as const
  return [
    createRow({ name: `${title}, p50`, unit: 'ms', ...compare(rounds, 'answers', ({ p50Ms }) => p50Ms) }),
    createRow({
      name: `  p99.9; one function in ten hangs, withinMs ${WITHIN_MS.toLocaleString('en')}`,
      unit: 'ms',
      ...compare(rounds, 'answers', ({ p999Ms }) => p999Ms),
      target,
    }),
  ]
}

export function createStartRows(readyMs: Rounds<number>): Row[] {
  const target = { of: 'value', atMost: 400 } as const
  return [createRow({ name: 'start to ready', unit: 'ms', ...compare(readyMs, 'start', (ms) => ms), target })]
}
