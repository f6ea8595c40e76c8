import { styleText } from 'node:util'
import type { Action, ActionState } from '../../inbox/actions.ts'
import { describeTargetFilter } from '../../operations/change-forwards.ts'
import { formatDuration } from '../../operations/duration.ts'
import { readPastChoice, toOptions } from '../../operations/filter.ts'
import { withInbox } from '../inbox.ts'
import { formatTable, headerRow, type TableRow, terminalWidth } from '../terminal/table.ts'
import type { ActionsOptions } from './options.ts'

/** Prints what operators did, newest first. */
export async function runActions({ limit, json }: ActionsOptions): Promise<void> {
  const found = await withInbox((inbox) => inbox.actions({ limit: limit + 1 }))
  const actions = found.slice(0, limit)
  if (actions.length === 0) {
    process.stderr.write('Nobody has done anything yet.\n')
    return
  }
  const lines = json ? actions.map(toJson) : formatActions(actions)
  process.stdout.write(`${lines.join('\n')}\n`)
  if (found.length > limit) process.stderr.write(`… more: --limit shows more than ${limit}\n`)
}

const toJson = ({ id, at, state, facts }: Action) => JSON.stringify({ id, at, state, ...facts })

function formatActions(actions: readonly Action[]): string[] {
  const header = headerRow(['WHEN', 'WHO', 'FROM', 'DID', 'STATE', 'ENTRIES'], 'WHICH')
  const steps = [{ leaveOut: 'FROM' }, { leaveOut: 'WHEN' }, { shorten: 'WHO', to: 12 }]
  return formatTable([header, ...actions.map(toRow)], terminalWidth(), steps)
}

function toRow({ at, state, facts }: Action): TableRow {
  const { who, from, verb, filter, eventIds = [], entries, changed, leftAlone = 0, reason, error } = facts
  const when = `${formatDuration(Date.now() - at.getTime())} ago`
  const of = state === 'done' || entries === undefined ? '' : ` of ${entries}`
  const count = changed === undefined ? '–' : `${changed}${of}${leftAlone === 0 ? '' : `, ${leftAlone} left alone`}`
  const meant = filter && (describeTargetFilter(filter)?.text ?? toOptions(readPastChoice(filter, at)))
  const which = [meant, eventIds.join(' ')].filter(Boolean).join(' ')
  return {
    cells: [when, who, from, verb, state, count],
    text: [which, reason, error].filter(Boolean).join(' · '),
    paint: (cells) => styleText(colors[state], cells),
  }
}

const colors = { running: 'cyan', done: 'reset', cancelled: 'yellow', failed: 'red' } as const satisfies Record<
  ActionState,
  string
>
