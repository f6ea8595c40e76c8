const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Milliseconds for people, such as `850 ms`, `1.2 s`, `90 s`, `3 min`, `47 h` or `12 d`; below zero counts as 0. */
export function formatDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds)
  if (ms < SECOND) return `${Math.floor(ms)} ms`
  if (ms < 10 * SECOND) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < 2 * MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < 2 * HOUR) return `${Math.floor(ms / MINUTE)} min`
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`
  return `${Math.floor(ms / DAY)} d`
}

const units = new Map([
  ['s', SECOND],
  ['m', MINUTE],
  ['h', HOUR],
  ['d', DAY],
])

/** `90s`, `30m`, `2h` or `3d` → milliseconds; undefined for anything else, and for none. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = ''] = text.match(/^(\d{1,5})([smhd])$/) ?? []
  const milliseconds = Number(number) * (units.get(unit) ?? Number.NaN)
  return milliseconds > 0 ? milliseconds : undefined
}
