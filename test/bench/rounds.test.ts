import { expect, it } from 'vitest'
import type { BenchContext } from './bench-context.ts'
import { createPlan, type MeasurementName } from './plan.ts'
import { compare, medianOf, ownTurn, ratioOf, takeTurns, turnsOf } from './rounds.ts'

const checkouts = { this: { folder: '/this' }, before: { folder: '/before' } }

function createContext(only: readonly MeasurementName[], said: string[] = []): BenchContext {
  return {
    plan: createPlan({ only, rounds: 2, seconds: 1, quick: true }),
    checkouts,
    scratch: '/scratch',
    postgresUrl: undefined,
    slowSyncLibrary: undefined,
    say: (what) => void said.push(what),
  }
}

it('takes the turns that are asked for round by round, there and back', async () => {
  const said: string[] = []
  const context = createContext(['sample', 'receive'], said)
  const turns = [
    { name: 'sample', whose: 'this' } as const,
    ...turnsOf(context, 'receive'),
    ...turnsOf(context, 'start'),
  ]
  let measured = 0
  const rounds = await takeTurns<MeasurementName, number>(context, turns, async () => {
    measured += 1
    return measured
  })
  expect(said.map((what) => what.replace(/^round /, ''))).toEqual([
    '1 of 2: sample',
    '1 of 2: receive',
    '1 of 2: receive, before',
    '2 of 2: receive, before',
    '2 of 2: receive',
    '2 of 2: sample',
  ])
  expect([...rounds]).toEqual([
    ['sample', [1, 6]],
    ['receive', [2, 5]],
    ['receive, before', [3, 4]],
  ])
})

it('has no turn of before without a checkout to stand against', () => {
  const context = { ...createContext(['start']), checkouts: { this: checkouts.this, before: undefined } }
  expect(turnsOf(context, 'start')).toEqual([{ name: 'start', whose: 'this' }])
})

const asMeasured = (value: number) => value

it('compares round by round, and nothing with what was not measured', () => {
  const rounds = new Map([
    // Slow moments of the machine, which fall on both.
    ['start', [300, 100, 200, 900]],
    ['start, before', [600, 250, 400, 1_800]],
    ['idle', [1]],
  ])
  expect(compare(rounds, 'start', asMeasured)).toEqual({ value: 250, toBefore: 0.5 })
  expect(compare(rounds, 'idle', asMeasured)).toEqual({ value: 1, toBefore: undefined })
  expect(compare(rounds, 'drain', asMeasured)).toEqual({ value: Number.NaN, toBefore: undefined })
  expect(medianOf(rounds, { name: 'start', whose: 'sample' }, asMeasured)).toBeUndefined()
})

it('leaves out rounds without something to divide by', () => {
  const rounds = new Map([
    ['start', [300, 100, 200]],
    ['start, before', [0, 50, Number.NaN]],
  ])
  const known = (value: number) => (Number.isNaN(value) ? undefined : value)
  expect(ratioOf(rounds, ownTurn('start'), { name: 'start', whose: 'before' }, known)).toBe(2)
})
