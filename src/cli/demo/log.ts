/** One line of the server's log. */
export interface LogLine {
  readonly msg: string
  readonly [field: string]: unknown
}

/** A stream for `createLog` that keeps the lines. */
export function createLogCapture(): { write(line: string): void; readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = []
  // The cast holds: pino writes one JSON object with a `msg` a line.
  return { lines, write: (line) => void lines.push(JSON.parse(line) as LogLine) }
}
