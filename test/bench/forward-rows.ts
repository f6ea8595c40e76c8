import { DEAD_TARGETS, type FairnessResult, FORWARDS_PER_SECOND } from './measure-fairness.ts'
import { type ForwardName, forwardNames } from './measure-forwards.ts'
import { compare, ownTurn, type Rounds, ratioOf } from './rounds.ts'
import { createRow, type Row } from './row.ts'

const FORWARDS_AT_LEAST = 3_000
/** By how much dead targets may slow down the last one. */
const DEAD_COST = 1.5

const titles: Readonly<Record<ForwardName, string>> = {
  forward: 'forwarding to a local target',
  'postgres-forward': 'forwarding to a local target, on Postgres',
}

export function createForwardRows(rates: Rounds<number>): Row[] {
  const target = { of: 'value', atLeast: FORWARDS_AT_LEAST } as const
  return forwardNames
    .filter((name) => rates.has(name))
    .map((name) => createRow({ name: titles[name], unit: '/s', ...compare(rates, name, (rate) => rate), target }))
}

/** Ratios are to being alone. */
export function createFairnessRows(rounds: Rounds<FairnessResult>): Row[] {
  const target = { of: 'ratio', atMost: DEAD_COST } as const
  const createLine = (name: string, pick: (result: FairnessResult) => number, more: Partial<Row> = {}) =>
    createRow({
      ...{ name, unit: 'ms', ...more },
      ...compare(rounds, 'fairness', pick),
      ratio: ratioOf(rounds, ownTurn('fairness'), ownTurn('fairness'), pick, ({ aloneMs }) => aloneMs),
    })
  return [
    createLine(`delivery to target, ${FORWARDS_PER_SECOND}/s, p99: one target`, ({ aloneMs }) => aloneMs),
    createLine(`  beside ${DEAD_TARGETS} dead ones`, ({ besideDeadMs }) => besideDeadMs, { target }),
    createLine(`  beside ${DEAD_TARGETS} that die just then`, ({ besideDyingMs }) => besideDyingMs),
  ]
}
