/**
 * Query for the number of the first entry that was received at that instant or later; one past the last when there is none.
 * Entries lie in order of arrival, so halving the range takes some 20 looks by key, and no index that every arrival pays for.
 */
export const findSeq = (instant: string): string => `
  WITH RECURSIVE search (low, high) AS (
    SELECT (SELECT min(seq) FROM entry), (SELECT max(seq) + 1 FROM entry)
    UNION ALL
    SELECT CASE WHEN middle.is_before THEN middle.seq + 1 ELSE low END, CASE WHEN middle.is_before THEN high ELSE (low + high) / 2 END
    FROM search CROSS JOIN LATERAL (SELECT seq, received_at < ${instant} AS is_before
                                    FROM entry WHERE seq >= (low + high) / 2 ORDER BY seq LIMIT 1) AS middle
    WHERE low < high
  )
  SELECT low FROM search WHERE low >= high LIMIT 1`
