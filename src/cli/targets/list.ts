import type { ForwardCount, TargetState } from '../../inbox/forwards.ts'
import { formatDuration } from '../../operations/duration.ts'
import { UNTRIED } from '../../targets/circuit.ts'
import { withInbox } from '../inbox.ts'
import { formatTable, headerRow, terminalWidth } from '../terminal/table.ts'
import { readTargets } from './loaded.ts'

/** Prints each target with how it does and what waits for it, those among them that TARGETS names no more. */
export async function runList({ json }: { readonly json?: true }): Promise<void> {
  const targets = await readTargets()
  const { counts, states } = await withInbox(async (inbox) => ({
    counts: await inbox.forwards.counts(),
    states: await inbox.forwards.states(),
  }))
  const names = [...new Set([...targets.map(({ name }) => name), ...counts.map(({ target }) => target)])]
  const rows = names.map((name) => ({
    name,
    url: targets.find((target) => target.name === name)?.url.href ?? null,
    state: states.find((each) => each.target === name)?.state ?? UNTRIED,
    ...countsOf(counts, name),
  }))
  if (rows.length === 0) return void process.stderr.write('There are no targets: TARGETS names no module.\n')
  const lines = json ? rows.map((row) => JSON.stringify(row)) : formatRows(rows)
  process.stdout.write(`${lines.join('\n')}\n`)
}

function countsOf(counts: readonly ForwardCount[], name: string) {
  const own = counts.filter(({ target }) => target === name)
  const of = (state: ForwardCount['state']) => own.find((count) => count.state === state)?.forwards ?? 0
  const oldestDueMs = own.find(({ state }) => state === 'pending')?.oldestDueMs ?? null
  return { pending: of('pending'), running: of('running'), dead: of('dead'), held: of('held'), oldestDueMs }
}

type Row = ReturnType<typeof countsOf> & {
  readonly name: string
  readonly url: string | null
  readonly state: TargetState
}

function formatRows(rows: readonly Row[]): string[] {
  const header = headerRow(['TARGET', 'PENDING', 'RUNNING', 'DEAD', 'HELD', 'LONGEST DUE'], 'STATE')
  const cells = rows.map(({ name, url, state, pending, running, dead, held, oldestDueMs }) => ({
    cells: [
      name,
      ...[pending, running, dead, held].map(String),
      oldestDueMs === null ? '–' : formatDuration(oldestDueMs),
    ],
    text: url === null ? 'TARGETS does not name it: nothing is sent' : describe(state),
  }))
  return formatTable([header, ...cells], terminalWidth())
}

function describe({ hold, open, pausedUntil, failures }: TargetState): string {
  const ago = (at: number) => formatDuration(Date.now() - at)
  if (hold !== null) return `held for ${ago(hold.at)} by ${hold.who}: ${hold.reason}`
  if (pausedUntil !== null && pausedUntil > Date.now())
    return `paused, as it asked, for another ${formatDuration(pausedUntil - Date.now())}`
  if (open !== null) return `circuit open for ${ago(open.since)}, ${failures} failures in a row`
  return failures === 0 ? 'well' : `${failures} failures in a row`
}
