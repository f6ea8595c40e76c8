import { backfillForwards, replayedStates, replayForwards } from '../../operations/change-forwards.ts'
import { createChooseTargets } from '../../targets/choose-targets.ts'
import { findOperator } from '../events/operator.ts'
import { withInbox } from '../inbox.ts'
import { createProgress } from '../terminal/progress.ts'
import { findTarget } from './loaded.ts'
import type { BackfillOptions, ReplayOptions } from './options.ts'

/** Makes forwards due again, and says how many. False when there is no such target, or none matched. */
export async function runReplay(
  name: string,
  { state = replayedStates, since, dryRun }: ReplayOptions,
): Promise<boolean> {
  if ((await findTarget(name)) === undefined) return false
  const filter = { target: name, states: state, ...(since !== undefined && { receivedWithinMs: since }) }
  const progress = createProgress(process.stderr, (count) => `looked at ${count} forwards`)
  const count = await withInbox(async (inbox) => {
    const running = { isRehearsal: dryRun === true, onProgress: progress.update }
    const replayed = await replayForwards(inbox, filter, running)
    const meant = { verb: 'replay target', filter: `target=${name}&state=${state.join()}` }
    if (!dryRun) await inbox.recordAction('done', { who: findOperator(), from: 'command', ...meant, changed: replayed })
    return replayed
  })
  progress.end()
  process.stdout.write(
    dryRun ? `would send ${eventsOf(count)} to ${name} anew\n` : `sending ${eventsOf(count)} to ${name} anew\n`,
  )
  return count > 0
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
