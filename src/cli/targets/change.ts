import { backfillForwards, changeForwards, type ForwardVerb, leftStates } from '../../operations/change-forwards.ts'
import { reportTarget } from '../../operations/survey-targets.ts'
import { createChooseTargets } from '../../targets/choose-targets.ts'
import { findOperator } from '../events/operator.ts'
import { withInbox } from '../inbox.ts'
import { canAsk, confirm } from '../terminal/confirm.ts'
import { createProgress } from '../terminal/progress.ts'
import { findTarget, readTargets, tellUnknown } from './loaded.ts'
import type { BackfillOptions, ChangeOptions } from './options.ts'

/** Makes forwards due again, and says how many. False when there is no such target, or none matched. */
export async function runReplay(name: string, options: ChangeOptions): Promise<boolean> {
  if ((await findTarget(name)) === undefined) return false
  const count = await change('replay target', name, options, options.dryRun === true)
  process.stdout.write(`${options.dryRun ? 'would send' : 'sending'} ${eventsOf(count)} to ${name} anew\n`)
  return count > 0
}

/**
 * Gives forwards up, also of a target that TARGETS names no more, and says how many. False when nothing is known of it, none matched,
 * or the answer was no.
 */
export async function runDrop(name: string, options: ChangeOptions): Promise<boolean> {
  if (!(await isKnown(name))) return false
  if (options.dryRun || (!options.yes && canAsk())) {
    const count = await change('drop target', name, options, true)
    if (options.dryRun) process.stdout.write(`would drop ${eventsOf(count)} for ${name}\n`)
    if (options.dryRun || count === 0) return count > 0
    if ((await confirm(`Never send ${eventsOf(count)} to ${name}?`)) !== true) {
      process.stderr.write('error: nothing was changed\n')
      return false
    }
  }
  const count = await change('drop target', name, options, false)
  process.stdout.write(`dropped ${eventsOf(count)} for ${name}\n`)
  return count > 0
}

async function isKnown(name: string): Promise<boolean> {
  const targets = await readTargets()
  const isNamed = targets.some((target) => target.name === name)
  if ((await withInbox((inbox) => reportTarget(inbox, name, isNamed))) !== undefined) return true
  tellUnknown(targets)
  return false
}

async function change(
  verb: ForwardVerb,
  name: string,
  { state = leftStates, since }: ChangeOptions,
  isRehearsal: boolean,
): Promise<number> {
  const filter = { target: name, states: state, ...(since !== undefined && { receivedWithinMs: since }) }
  const progress = createProgress(process.stderr, (count) => `looked at ${count} forwards`)
  const who = findOperator()
  const count = await withInbox(async (inbox) => {
    const changed = await changeForwards(inbox, verb, who, filter, { isRehearsal, onProgress: progress.update })
    const meant = { verb, filter: `target=${name}&state=${state.join()}` }
    if (!isRehearsal) await inbox.recordAction('done', { who, from: 'command', ...meant, changed })
    return changed
  })
  progress.end()
  return count
}

/** Adds forwards of stored events that the target takes, and says how many. False when there is no such target. */
export async function runBackfill(name: string, { since, dryRun }: BackfillOptions): Promise<boolean> {
  const target = await findTarget(name)
  if (target === undefined) return false
  const chooseAll = createChooseTargets([target])
  const progress = createProgress(process.stderr, (count) => `looked at ${count} events`)
  const count = await withInbox(async (inbox) => {
    const running = { isRehearsal: dryRun === true, onProgress: progress.update }
    const choose = (...given: readonly [Parameters<typeof chooseAll>[0], string]) => chooseAll(...given, 0)[0]
    const added = await backfillForwards(inbox, { receivedWithinMs: since }, choose, running)
    const meant = { verb: 'backfill target', filter: `target=${name}` }
    if (!dryRun) await inbox.recordAction('done', { who: findOperator(), from: 'command', ...meant, changed: added })
    return added
  })
  progress.end()
  process.stdout.write(
    dryRun ? `would send ${eventsOf(count)} to ${name}\n` : `sending ${eventsOf(count)} to ${name}\n`,
  )
  return true
}

const eventsOf = (count: number) => `${count} ${count === 1 ? 'event' : 'events'}`
