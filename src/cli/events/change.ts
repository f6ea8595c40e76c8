import type { EntryState } from '../../event.ts'
import type { ActionFacts } from '../../inbox/actions.ts'
import {
  type Change,
  type ChangeGroup,
  type ChangeResult,
  changeEntries,
  type Obstacle,
  rehearseChange,
  type Selection,
} from '../../operations/change-entries.ts'
import { recordChange } from '../../operations/record-change.ts'
import { withInbox } from '../inbox.ts'
import { ASK_ABOVE, canAsk, confirm } from '../terminal/confirm.ts'
import { createProgress } from '../terminal/progress.ts'
import { formatTable, headerRow, terminalWidth, toOneLine } from '../terminal/table.ts'
import { findOperator } from './operator.ts'
import type { ChangeOptions } from './options.ts'

/**
 * Changes the entries and prints how many, and which ones were left alone and why. False when a named entry was left alone, when
 * a filter led to no change at all, or when the answer was no. A note is told when something was changed.
 */
export async function runChange(
  change: Change,
  selection: Selection,
  { dryRun, yes, note }: ChangeOptions & { readonly note?: string },
): Promise<boolean> {
  const impossible = findImpossible(change, selection)
  if (impossible !== undefined) {
    const possible = change.possibleIn.join(', ')
    process.stderr.write(`error: what is ${impossible} cannot be ${change.done}: expected --state of ${possible}\n`)
    return false
  }
  const result = await withInbox(async (inbox) => {
    const rehearse = () =>
      withProgress('looked at', (onProgress) => rehearseChange(inbox, change, selection, onProgress))
    if (dryRun) return rehearse()
    if (!yes && canAsk() && !(await isConfirmed(change, await rehearse()))) return undefined
    const made = await withProgress(`${change.doing}:`, (onProgress) =>
      changeEntries(inbox, change, selection, onProgress),
    )
    await recordChange(inbox, { who: findOperator(), from: 'command', verb: change.verb, ...describe(selection) }, made)
    return made
  })
  if (result === undefined) {
    process.stderr.write('error: nothing was changed\n')
    return false
  }
  for (const { eventId, obstacle } of result.leftAlone) {
    process.stderr.write(`${toOneLine(eventId)} left alone: ${explain(obstacle)}\n`)
  }
  if (result.changed + result.leftAlone.length === 0) {
    process.stderr.write('error: no entry matches\n')
    return false
  }
  if (result.groups !== undefined && result.groups.length > 0) printGroups(result.groups)
  process.stdout.write(`${summarize(change, result)}\n`)
  if (note !== undefined && result.changed > 0) process.stderr.write(`note: ${note}\n`)
  return 'eventIds' in selection ? result.leftAlone.length === 0 : result.changed > 0
}

function describe(selection: Selection): Pick<ActionFacts, 'eventIds' | 'filter'> {
  if ('eventIds' in selection) return { eventIds: selection.eventIds }
  return selection.fields === undefined ? {} : { filter: selection.fields }
}

function findImpossible({ possibleIn }: Change, selection: Selection): EntryState | undefined {
  const states = 'filter' in selection ? selection.filter.states : undefined
  return states?.find((state) => !possibleIn.includes(state))
}

async function isConfirmed({ verb }: Change, { changed }: ChangeResult): Promise<boolean> {
  if (changed <= ASK_ABOVE) return true
  return (await confirm(`${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${changed} entries?`)) === true
}

function explain(obstacle: Obstacle): string {
  switch (obstacle) {
    case 'unknown':
      return 'no entry has this id'
    case 'without body':
      return 'retention dropped its body'
    case 'answered':
      return 'it was answered in its delivery: a later decision would reach nobody'
    case 'changing':
      return 'it was just changing; try again'
    default:
      return `it is ${obstacle}`
  }
}

const entriesOf = (count: number) => `${count} ${count === 1 ? 'entry' : 'entries'}`

async function withProgress<T>(verb: string, work: (onProgress: (count: number) => void) => Promise<T>): Promise<T> {
  const progress = createProgress(process.stderr, (count) => `${verb} ${entriesOf(count)}`)
  try {
    return await work(progress.update)
  } finally {
    progress.end()
  }
}

function printGroups(groups: readonly ChangeGroup[]): void {
  const header = headerRow(['ENTRIES', 'STATE', 'TYPE'])
  const rows = groups.map(({ entries, state, type }) => ({ cells: [String(entries), state, type] }))
  const lines = formatTable([header, ...rows], terminalWidth(), [{ shorten: 'TYPE', to: 24 }])
  process.stdout.write(`${lines.join('\n')}\n\n`)
}

function summarize({ verb, done }: Change, { changed, leftAlone, groups }: ChangeResult): string {
  const what = entriesOf(changed)
  const left = leftAlone.length === 0 ? '' : `, ${leftAlone.length} left alone`
  return groups === undefined ? `${done} ${what}${left}` : `would ${verb} ${what}${left}; nothing was changed`
}
