import type { ClaimResult } from './claim-process.ts'
import type { IdleResult } from './measure-idle.ts'
import { createRow, type Row } from './row.ts'
import { median } from './statistics.ts'

const CLAIM_GROWTH = 1.5
/** For an entry that waits behind many of one lane. */
const OTHER_LANE_MS = 50

export function createDrainRows(rates: readonly number[], entries: number): Row[] {
  const name = `draining ${entries.toLocaleString('en')} entries, no-op handler`
  return [createRow({ name, value: median(rates), unit: '/s', target: { of: 'value', atLeast: 10_000 } })]
}

export function createClaimRows(results: readonly ClaimResult[]): Row[] {
  return [
    ...createClaimCostRows(results, 'claim of 16', ({ claimUs }) => claimUs),
    ...createClaimCostRows(results, 'claim of 16 and settles', ({ claimAndSettleUs }) => claimAndSettleUs),
    ...results.flatMap(({ name, firstOfAnotherLaneMs: value }) => {
      if (value === undefined) return []
      const target = { of: 'value', atMost: OTHER_LANE_MS } as const
      return createRow({ name: `first of another lane: ${name}`, value, unit: 'ms', target })
    }),
  ]
}

function createClaimCostRows(
  results: readonly ClaimResult[],
  title: string,
  pick: (result: ClaimResult) => number,
): Row[] {
  return results.map((result, index) => {
    const row = { name: `${title}: ${result.name}`, value: pick(result), unit: 'µs' }
    if (index === 0) return createRow({ ...row, ratio: 1 })
    const [first = result] = results
    return createRow({ ...row, ratio: row.value / pick(first), target: { of: 'ratio', atMost: CLAIM_GROWTH } })
  })
}

export function createIdleRows({ startP50Ms, startP99Ms, answerP50Ms }: IdleResult): Row[] {
  return [
    createRow({ name: 'idle: delivery to answer, p50', value: answerP50Ms, unit: 'ms' }),
    createRow({
      name: 'idle: answered to handler started, p50',
      value: startP50Ms,
      unit: 'ms',
      target: { of: 'value', atMost: 3 },
    }),
    createRow({ name: 'idle: answered to handler started, p99', value: startP99Ms, unit: 'ms' }),
  ]
}

export function createStartRows(readyMs: readonly number[]): Row[] {
  return [
    createRow({ name: 'start to ready', value: median(readyMs), unit: 'ms', target: { of: 'value', atMost: 400 } }),
  ]
}
