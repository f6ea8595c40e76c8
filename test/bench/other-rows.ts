import type { ClaimResult } from './claim-process.ts'
import { type DrainName, drains } from './measure-drain.ts'
import type { IdleResult } from './measure-idle.ts'
import { createRow, type Row } from './row.ts'
import { median } from './statistics.ts'

const CLAIM_GROWTH = 1.5
/** For an entry that waits behind many of one lane. */
const OTHER_LANE_MS = 50

/** Rates of the rounds; those of several workers are compared with the same store's single one. */
export function createDrainRows(rates: ReadonlyMap<DrainName, readonly number[]>, entries: number): Row[] {
  return [...rates].map(([name, measured]) => {
    const { title, atLeast, beside } = drains[name]
    const row = {
      name: `draining ${entries.toLocaleString('en')} entries, ${title}`,
      value: median(measured),
      unit: '/s',
    }
    if (beside === undefined) return createRow({ ...row, target: { of: 'value', atLeast } })
    const single = rates.get(beside)
    return createRow({ ...row, ratio: single && row.value / median(single), target: { of: 'ratio', atLeast } })
  })
}

/** `place` tells where: empty, or such as ` on Postgres`. */
export function createClaimRows(results: readonly ClaimResult[], place = ''): Row[] {
  return [
    ...createClaimCostRows(results, `claim of 16${place}`, ({ claimUs }) => claimUs),
    ...createClaimCostRows(results, `claim of 16 and settles${place}`, ({ claimAndSettleUs }) => claimAndSettleUs),
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
