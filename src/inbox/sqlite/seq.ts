import type { DatabaseSync } from 'node:sqlite'

/**
 * Prepares the search for the first entry that was received at an instant or later (milliseconds since the epoch): gives its `seq`, or
 * one past the last. Entries lie in order of arrival, so this takes some 20 looks by key and no index; a clock that was set back
 * makes it as wrong as the clock was.
 */
export function prepareSeqSearch(db: DatabaseSync): (instant: number) => number {
  const first = db.prepare('SELECT min(seq) AS seq FROM entry')
  const last = db.prepare('SELECT max(seq) AS seq FROM entry')
  const next = db.prepare('SELECT seq, received_at FROM entry WHERE seq >= ? ORDER BY seq LIMIT 1')

  return function findSeq(instant) {
    let low = Number(first.get()?.seq ?? 0)
    let high = Number(last.get()?.seq ?? -1) + 1
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const found = next.get(middle)
      if (Number(found?.received_at) < instant) low = Number(found?.seq) + 1
      else high = middle
    }
    return low
  }
}
