import { expect, it } from 'vitest'
import type { BenchContext } from './bench-context.ts'
import { createPlan, type MeasurementName } from './plan.ts'
import { compare, medianOf, type Turn, takeTurns, turnsOf } from './rounds.ts'

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

it('compares medians, and nothing with what was not measured', () => {
  const rounds = new Map([
    ['start', [300, 100, 200]],
    ['start, before', [400]],
    ['idle', [1]],
  ])
  const asMeasured = (value: number) => value
  expect(compare(rounds, 'start', asMeasured)).toEqual({ value: 200, toBefore: 0.5 })
  expect(compare(rounds, 'idle', asMeasured)).toEqual({ value: 1, toBefore: undefined })
  expect(compare(rounds, 'drain', asMeasured)).toEqual({ value: Number.NaN, toBefore: undefined })
  const sample: Turn<'start'> = { name: 'start', whose: 'sample' }
  expect(medianOf(rounds, sample, asMeasured)).toBeUndefined()
})
