import { DatabaseSync } from 'node:sqlite'
import { type Figures, WAIT_LIMITS_MS } from '../../src/inbox/figures.ts'

const MINUTE_MS = 60_000
/** When an entry is tried again after its first attempt, and after that. */
const RETRIES_MS = [10_000, 40_000, 130_000, 400_000, 1_210_000, 3_640_000, 10_930_000]
const REFUSED = new Map<number, Figures['refused']>([
  [17, { signature_mismatch: 4 }],
  [18, { signature_mismatch: 2 }],
  [41, { timestamp_too_old: 1 }],
])

/**
 * Gives the entries of a SQLite inbox a past, the newest first: times over the last minutes, the attempts that a failure would have had
 * by now, and figures of all that.
 * @param perMinute how many came in each minute, the oldest first
 */
export function makeUpPast(path: string, perMinute: readonly number[]): void {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  const statements = prepare(db)
  const now = Date.now()
  const firstAt = (Math.floor(now / MINUTE_MS) - perMinute.length + 1) * MINUTE_MS
  const times = perMinute.flatMap((count, minute) =>
    Array.from({ length: count }, (_, place) => {
      const at = firstAt + minute * MINUTE_MS
      return at + (place / count) * Math.min(MINUTE_MS, now - at)
    }),
  )
  const figures = perMinute.map((_, minute) => createFigures(REFUSED.get(perMinute.length - minute) ?? {}))
  const figuresAt = (at: number) => figures[Math.floor((at - firstAt) / MINUTE_MS)]

  db.exec('BEGIN IMMEDIATE; DELETE FROM figures')
  for (const [index, { seq, ...entry }] of statements.newestFirst.all().entries()) {
    // What came before all minutes is of the first one.
    const at = Math.floor(times.at(-1 - index) ?? firstAt)
    const waitedMs = Number(entry.settled_at) - Number(entry.received_at)
    statements.move.run({ seq: seq ?? null, by: at - Number(entry.received_at) })
    count(figuresAt(at), entry, waitedMs)
    if (entry.state !== 'pending') continue
    const attempts = [0, ...RETRIES_MS].map((afterMs) => at + afterMs)
    const past = attempts.filter((each) => each < now)
    for (const [place, startedAt] of past.entries()) {
      statements.attempt.run(seq ?? null, place + 1, startedAt, startedAt + 180 + place * 37, entry.reason ?? null)
      const figure = figuresAt(startedAt)
      if (figure) figure.failed += 1
    }
    statements.wait.run(past.length, attempts[past.length] ?? now + MINUTE_MS, seq ?? null)
  }
  for (const [minute, figure] of figures.entries())
    statements.figures.run(firstAt + minute * MINUTE_MS, JSON.stringify(figure))
  db.exec('COMMIT')
  db.close()
}

function prepare(db: DatabaseSync) {
  return {
    newestFirst: db.prepare(
      'SELECT seq, received_at, settled_at, state, reason, route, secret, api_version FROM entry ORDER BY seq DESC',
    ),
    move: db.prepare(`UPDATE entry SET received_at = received_at + :by, created_at = received_at + :by - 1200,
      settled_at = settled_at + :by WHERE seq = :seq`),
    attempt: db.prepare(`INSERT INTO attempt (seq, replay, number, started_at, ended_at, outcome, error)
      VALUES (?, 0, ?, ?, ?, 'retried', ?)
      ON CONFLICT DO UPDATE SET started_at = excluded.started_at, ended_at = excluded.ended_at`),
    wait: db.prepare('UPDATE entry SET attempts = ?, due_at = ? WHERE seq = ?'),
    figures: db.prepare('INSERT INTO figures (at, counted) VALUES (?, ?)'),
  }
}

function createFigures(refused: Figures['refused']) {
  const names = (): Record<string, number> => ({})
  const waits = [...WAIT_LIMITS_MS, Infinity].map(() => 0)
  return { accepted: 0, handled: 0, failed: 0, waits, refused, proven: names(), versions: names() }
}

function count(
  figures: ReturnType<typeof createFigures> | undefined,
  { state, route, secret, api_version }: Readonly<Record<string, unknown>>,
  waitedMs: number,
): void {
  if (figures === undefined) return
  const { proven, versions, waits } = figures
  figures.accepted += 1
  proven[`${route} ${secret}`] = (proven[`${route} ${secret}`] ?? 0) + 1
  if (typeof api_version === 'string') versions[api_version] = (versions[api_version] ?? 0) + 1
  if (state === 'dead') figures.failed += 1
  if (state !== 'handled') return
  figures.handled += 1
  const place = WAIT_LIMITS_MS.findIndex((limit) => waitedMs <= limit)
  waits[place] = (waits[place] ?? 0) + 1
}
