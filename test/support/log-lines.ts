import { createLog, type Log, type LogLevel } from '../../src/log.ts'

export type LogLine = Record<string, unknown> & { readonly msg: string }

/** A real logger that keeps its lines. */
export async function captureLog(
  level: LogLevel = 'trace',
): Promise<{ log: Log; lines: () => LogLine[]; text: () => string }> {
  const written: string[] = []
  const log = await createLog(level, { write: (line: string) => void written.push(line) })
  return { log, lines: () => written.map((line) => JSON.parse(line)), text: () => written.join('') }
}
