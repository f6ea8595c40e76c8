import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { News } from '../../src/alerts/news.ts'
import { createPace } from '../../src/alerts/pace.ts'
import { createRefusalRate, MAX_REFUSALS, WITHIN_MS } from '../../src/alerts/refusal-rate.ts'
import { suspectRefusals } from '../../src/errors.ts'

const MINUTE = 60_000
const countsOf = (news: News | undefined) => news?.counts

it('tells of more than five refusals in 15 minutes, by code, and then of each', () => {
  const judge = createRefusalRate()
  for (let minute = 0; minute < 5; minute += 1) expect(judge('signature_mismatch', minute * MINUTE)).toBeUndefined()
  expect(countsOf(judge('timestamp_too_old', 15 * MINUTE))).toEqual({ signature_mismatch: 5, timestamp_too_old: 1 })
  expect(countsOf(judge('signature_mismatch', 15 * MINUTE))).toEqual({ signature_mismatch: 1 })
  // The first of the last six is too long ago by now.
  expect(judge('signature_mismatch', 40 * MINUTE)).toBeUndefined()
})

it('tells of no five, however long they go on', () => {
  const judge = createRefusalRate()
  for (let index = 0; index < 100; index += 1) {
    expect(judge('signature_mismatch', index * 3.1 * MINUTE)).toBeUndefined()
  }
})

it('is told of at most hourly while it goes on', () => {
  const judge = createRefusalRate()
  const pace = createPace()
  const toldAt: number[] = []
  const sentences: string[] = []
  for (let minute = 0; minute < 130; minute += 1) {
    const now = minute * MINUTE
    const news = judge('signature_mismatch', now)
    if (news !== undefined) pace.add(news, now)
    const due = pace.take(now)
    if (due === undefined) continue
    toldAt.push(minute)
    sentences.push(due.news.tell(due.sum).sentence)
    pace.onTried(due, true, now)
  }
  expect(toldAt).toEqual([5, 65, 125])
  expect(sentences[0]).toMatch(/^6 deliveries refused, signature_mismatch 6: a secret, /)
  expect(sentences[1]).toMatch(/^60 more deliveries refused, signature_mismatch 60: /)
})

it('goes by the figures of the alert in the documentation', async () => {
  const text = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8')
  const [, reasons = '', minutes, most] = /refusals_total\{reason=~"([^"]+)"\}\[(\d+)m\]\)\) > (\d+)/.exec(text) ?? []
  expect(Number(minutes) * MINUTE).toBe(WITHIN_MS)
  expect(Number(most)).toBe(MAX_REFUSALS)
  expect(suspectRefusals.filter((code) => !new RegExp(`^(${reasons})$`).test(code))).toEqual([])
  expect(reasons.replace('timestamp_.*', 'timestamp_too_old|timestamp_in_future').split('|').sort()).toEqual(
    suspectRefusals.toSorted(),
  )
})
