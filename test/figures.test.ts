import { describe, expect, it } from 'vitest'
import { createFigureCounter, startKeeping } from '../src/figures.ts'
import { type Figures, WAIT_LIMITS_MS } from '../src/inbox/figures.ts'
import { createLog } from '../src/log.ts'
import { eventually } from './support/eventually.ts'
import { newEntry } from './support/new-entry.ts'

const NOW = 1_700_000_000_000
const leaseAfter = (waitedMs: number) => ({ entry: { receivedAt: new Date(NOW - waitedMs) } })

describe('what a process counts', () => {
  it('is what came, what became of it, and by what it was proven or refused', () => {
    const counter = createFigureCounter(() => NOW)
    expect(counter.take()).toBeUndefined()
    counter.onAccepted(newEntry({ secret: '1:…abcd' }))
    counter.onAccepted(newEntry({ secret: '2:…efgh', route: 'connect', apiVersion: null }))
    counter.onAccepted(newEntry({ secret: '1:…abcd' }))
    counter.onRefused('signature_mismatch')
    for (const waitedMs of [1, 15, 10_000_000]) counter.onAttemptEnded(leaseAfter(waitedMs), { state: 'handled' })
    counter.onAttemptEnded(leaseAfter(0), { state: 'pending', retryInMs: 1, error: 'no' })
    counter.onAttemptEnded(leaseAfter(0), { state: 'dead', error: 'no' })
    counter.onAttemptEnded(leaseAfter(0), { state: 'unhandled' })
    const waits = WAIT_LIMITS_MS.map((limit) => (limit === 1 || limit === 20 ? 1 : 0)).concat(1)
    expect(counter.take()).toEqual({
      accepted: 3,
      handled: 3,
      failed: 2,
      waits,
      refused: { signature_mismatch: 1 },
      proven: { 'account 1:…abcd': 2, 'connect 2:…efgh': 1 },
      versions: { '2026-10-28.endive': 2 },
    })
    expect(counter.take()).toBeUndefined()
  })

  it('has a bound on the names that it tells apart', () => {
    const counter = createFigureCounter()
    for (let version = 0; version < 1_000; version += 1) counter.onAccepted(newEntry({ apiVersion: `v${version}` }))
    expect(Object.keys(counter.take()?.versions ?? {})).toHaveLength(50)
  })
})

describe('keeping figures', () => {
  it('hands them to the inbox each time, the last at the stop, and goes on when it is down', async () => {
    const counter = createFigureCounter()
    const kept: Figures[] = []
    const lines: string[] = []
    const log = await createLog('warn', { write: (line) => void lines.push(line) })
    let isDown = true
    const inbox = {
      recordFigures: async (figures: Figures) => {
        if (isDown) throw new Error('down')
        kept.push(figures)
      },
    }
    counter.onRefused('bad_payload')
    const keeping = startKeeping({ inbox, counter, log }, 5)
    await eventually('the failure to be told', () =>
      lines.some((line) => line.includes('figures of this minute are lost')),
    )
    isDown = false
    counter.onRefused('bad_payload')
    await eventually('figures to be kept', () => kept.length === 1)
    counter.onRefused('overloaded')
    await keeping.stop()
    expect(kept.map(({ refused }) => refused)).toEqual([{ bad_payload: 1 }, { overloaded: 1 }])
  })
})
