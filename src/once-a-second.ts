const EVERY_MS = 1_000

/** Tells of the first of a key at once, and from then on once a second of those that came since: the last of them, and how many. */
export function createOnceASecond<Item>(tell: (last: Item, count: number) => void): (key: string, item: Item) => void {
  const since = new Map<string, { count: number; last: Item }>()

  function begin(key: string, last: Item, count: number): void {
    since.set(key, { count: 0, last })
    setTimeout(tellTheRest, EVERY_MS, key).unref()
    tell(last, count)
  }

  function tellTheRest(key: string): void {
    const waiting = since.get(key)
    since.delete(key)
    if (waiting !== undefined && waiting.count > 0) begin(key, waiting.last, waiting.count)
  }

  return (key, item) => {
    const waiting = since.get(key)
    if (waiting === undefined) return begin(key, item, 1)
    waiting.count += 1
    waiting.last = item
  }
}
