import { styleText } from 'node:util'
import type { DemoResult } from './results.ts'

/** Prints one JSON object for each delivery; what is wrong with the inbox as a whole goes to standard error. */
export function printJson(results: readonly DemoResult[], faults: readonly string[]): void {
  for (const { delivery, ...outcome } of results) {
    const { kind, type, shape, route, eventId } = delivery
    process.stdout.write(`${JSON.stringify({ kind, type, shape, route, eventId, ...outcome })}\n`)
  }
  printFaults(results, faults)
}

const WIDTH_WITHOUT_TERMINAL = 120
/** Narrower than this, what was said gets a line of its own. */
const MIN_SAID_WIDTH = 40
const header = ['TYPE', 'SHAPE', 'ROUTE', 'HTTP', 'STATE'] as const

/** Prints a table as wide as the terminal, what it amounts to, and what to try next. */
export function printTable(results: readonly DemoResult[], faults: readonly string[], durationMs: number): void {
  const rows = results.map(describeCells)
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((cells) => cells[column]?.length ?? 0)),
  )
  const width = process.stdout.columns ?? WIDTH_WITHOUT_TERMINAL
  const pad = (cells: readonly string[]) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
  print(styleText('bold', `${pad(header)}  HANDLER'S LOG`))
  for (const [index, result] of results.entries()) {
    const cells = pad(rows[index] ?? [])
    const isNarrow = width - cells.length - 2 < MIN_SAID_WIDTH
    const said = shorten(describeWords(result), isNarrow ? width - 4 : width - cells.length - 2)
    print(`${paint(result, cells)}${isNarrow ? '\n    ' : '  '}${said}`)
  }
  print(`\n${summarize(results, faults, durationMs)}`)
  printFaults(results, faults)
  print(`\nWhere it says fetched=false: with STRIPE_API_KEY set, the object of a thin event is fetched from Stripe.
Next: put STRIPE_WEBHOOK_SECRET into .env, run \`npm start\`,
and in another terminal \`npm run trigger -- payout.failed\`.`)
}

function describeCells({ delivery, answer, state }: DemoResult): string[] {
  return [delivery.type, delivery.shape, delivery.route, String(answer), state ?? '–']
}

function describeWords({ delivery, message, facts }: DemoResult): string {
  const { objectId, ...others } = facts
  const words = Object.entries({ ...others, objectId })
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : String(value)}`)
  const kind = delivery.kind === 'event' ? '' : `${delivery.kind}: `
  return [`${kind}${message}`, ...words].join(' ')
}

function shorten(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

function paint({ faults, state }: DemoResult, text: string): string {
  if (faults.length > 0) return styleText('red', text)
  return state === 'handled' ? styleText('green', text) : styleText('yellow', text)
}

function summarize(results: readonly DemoResult[], faults: readonly string[], durationMs: number): string {
  const count = (isCounted: (result: DemoResult) => boolean) => results.filter(isCounted).length
  const bad = faults.length + count((result) => result.faults.length > 0)
  const parts = [
    `${results.length} deliveries in ${(durationMs / 1_000).toFixed(1)} s`,
    `${count(({ delivery, state }) => delivery.kind === 'event' && state === 'handled')} handled`,
    ...(['duplicate', 'forged', 'unknown type'] as const).map(
      (kind) => `${count(({ delivery }) => delivery.kind === kind)} ${kind}`,
    ),
    bad === 0 ? styleText('green', 'all as it should be') : styleText('red', `${bad} not as it should be`),
  ]
  return parts.join(', ')
}

function printFaults(results: readonly DemoResult[], faults: readonly string[]): void {
  const all = results.flatMap(({ delivery, faults: own }) =>
    own.map((fault) => `${delivery.kind} ${delivery.type} (${delivery.shape}, ${delivery.route}): ${fault}`),
  )
  for (const fault of [...all, ...faults]) process.stderr.write(`error: ${fault}\n`)
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
