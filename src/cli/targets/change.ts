import {
  type Backfilled,
  backfillForwards,
  changeForwards,
  type ForwardVerb,
  leftStates,
} from '../../operations/change-forwards.ts'
import { reportTarget } from '../../operations/survey-targets.ts'
import { createChooseTargets } from '../../targets/choose-targets.ts'
import type { LoadedTarget } from '../../targets/load.ts'
import { findOperator } from '../events/operator.ts'
import { withInbox } from '../inbox.ts'
import { ASK_ABOVE, canAsk, confirm } from '../terminal/confirm.ts'
import { createProgress } from '../terminal/progress.ts'
import { findTarget, readTargets, tellUnknown } from './loaded.ts'
import type { BackfillOptions, ChangeOptions } from './options.ts'

/** Makes forwards due again, and says how many. False when there is no such target, none matched, or the answer was no. */
export async function runReplay(name: string, options: ChangeOptions): Promise<boolean> {
  if ((await findTarget(name)) === undefined) return false
  const count = await ask(options, (isRehearsal) => change('replay target', name, options, isRehearsal), {
    would: (events) => `would send ${events} to ${name} anew`,
    question: (events) => `Send ${events} to ${name} anew?`,
    done: (events) => `sending ${events} to ${name} anew`,
  })
  return count !== undefined && count > 0
}

/**
 * Gives forwards up, also of a target that TARGETS names no more, and says how many. False when nothing is known of it, none matched,
 * or the answer was no.
 */
export async function runDrop(name: string, options: ChangeOptions): Promise<boolean> {
  if (!(await isKnown(name))) return false
  const count = await ask(options, (isRehearsal) => change('drop target', name, options, isRehearsal), {
    would: (events) => `would drop ${events} for ${name}`,
    question: (events) => `Never send ${events} to ${name}?`,
    done: (events) => `dropped ${events} for ${name}`,
  })
  return count !== undefined && count > 0
}

type Say = (events: string) => string

/** Does it, or counts alone, and says how many; counts first where there is someone to ask. Undefined when the answer was no. */
async function ask(
  { dryRun, yes }: Pick<ChangeOptions, 'dryRun' | 'yes'>,
  run: (isRehearsal: boolean) => Promise<number>,
  { would, question, done }: { readonly would: Say; readonly question: Say; readonly done: Say },
): Promise<number | undefined> {
  if (!dryRun && !yes && canAsk()) {
    const count = await run(true)
    if (count > ASK_ABOVE && (await confirm(question(eventsOf(count)))) !== true) {
      process.stderr.write('error: nothing was changed\n')
      return undefined
    }
  }
  const count = await run(dryRun === true)
  process.stdout.write(`${(dryRun ? would : done)(eventsOf(count))}\n`)
  return count
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
  const progress = createProgress(
    process.stderr,
    (count) => `looked at ${count} ${count === 1 ? 'forward' : 'forwards'}`,
  )
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

/** Adds forwards of stored events that the target takes, and says how many. False when there is no such target, or the answer was no. */
export async function runBackfill(name: string, options: BackfillOptions): Promise<boolean> {
  const target = await findTarget(name)
  if (target === undefined) return false
  let done: Backfilled | undefined
  const run = async (isRehearsal: boolean) => {
    done = await backfill(target, options, isRehearsal)
    return done.added
  }
  const count = await ask(options, run, {
    would: (events) => `would send ${events} to ${name}`,
    question: (events) => `Send ${events} to ${name}?`,
    done: (events) => `sending ${events} to ${name}`,
  })
  if (count !== undefined && done !== undefined) tellRest(done)
  return count !== undefined
}

function tellRest({ held, withoutBody }: Backfilled): void {
  if (held > 0) process.stderr.write(`note: ${held} of them held, since the target's \`where\` threw\n`)
  if (withoutBody > 0)
    process.stderr.write(`note: ${eventsOf(withoutBody)} left out, whose bodies retention has taken\n`)
}

async function backfill(target: LoadedTarget, { since }: BackfillOptions, isRehearsal: boolean): Promise<Backfilled> {
  const chooseAll = createChooseTargets([target])
  const progress = createProgress(process.stderr, (count) => `looked at ${eventsOf(count)}`)
  const done = await withInbox(async (inbox) => {
    const running = { isRehearsal, onProgress: progress.update }
    const choose = (...given: readonly [Parameters<typeof chooseAll>[0], string]) => chooseAll(...given, 0)[0]
    const backfilled = await backfillForwards(inbox, { receivedWithinMs: since }, choose, running)
    const meant = { verb: 'backfill target', filter: `target=${target.name}`, changed: backfilled.added }
    if (!isRehearsal) await inbox.recordAction('done', { who: findOperator(), from: 'command', ...meant })
    return backfilled
  })
  progress.end()
  return done
}

const eventsOf = (count: number) => `${count} ${count === 1 ? 'event' : 'events'}`
