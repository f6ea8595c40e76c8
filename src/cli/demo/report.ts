import { styleText } from 'node:util'
import { formatTable, headerRow, type TableRow } from '../terminal/table.ts'
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

/** Prints a table as wide as the terminal, what it amounts to, and what to try next. */
export function printTable(results: readonly DemoResult[], faults: readonly string[], durationMs: number): void {
  const header = headerRow(['TYPE', 'SHAPE', 'ROUTE', 'HTTP', 'STATE'], "HANDLER'S LOG")
  const width = process.stdout.columns ?? WIDTH_WITHOUT_TERMINAL
  for (const line of formatTable([header, ...results.map(toRow)], width)) print(line)
  print(`\n${summarize(results, faults, durationMs)}`)
  printFaults(results, faults)
  print(`\nWhere it says fetched=false: with STRIPE_API_KEY set, the object of a thin event
is fetched from Stripe.
Next: put STRIPE_WEBHOOK_SECRET into .env, run \`npm start\`,
and in another terminal \`npm run trigger -- payout.failed\`.`)
}

function toRow(result: DemoResult): TableRow {
  const { delivery, answer, state } = result
  return {
    cells: [delivery.type, delivery.shape, delivery.route, String(answer), state ?? '–'],
    text: describeWords(result),
    paint: (cells) => styleText(colorOf(result), cells),
  }
}

function describeWords({ delivery, message, facts }: DemoResult): string {
  const { objectId, ...others } = facts
  const words = Object.entries({ ...others, objectId })
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : String(value)}`)
  const kind = delivery.kind === 'event' ? '' : `${delivery.kind}: `
  return [`${kind}${message}`, ...words].join(' ')
}

function colorOf({ faults, state }: DemoResult): 'red' | 'green' | 'yellow' {
  if (faults.length > 0) return 'red'
  return state === 'handled' ? 'green' : 'yellow'
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
  ]
  const verdict = bad === 0 ? styleText('green', 'all as it should be') : styleText('red', `${bad} not as it should be`)
  return `${parts.join(', ')}:\n${verdict}`
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
