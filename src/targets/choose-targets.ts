import type { ChooseForwards } from '../event/arrival.ts'
import type { ForwardedEvent, NewForward } from '../event.ts'
import { describeError } from '../log.ts'
import type { LoadedTarget } from './load.ts'
import { toTypePattern } from './type-pattern.ts'

/** More receivers than this one after the other are a circle. */
const MAX_HOPS = 3

/** Which of the targets an event goes to: decided once, and a `where` that fails holds the forward, so that nothing is lost by it. */
export function createChooseTargets(targets: readonly LoadedTarget[]): ChooseForwards {
  const judges = targets.map((target) => ({ name: target.name, order: target.order, ...createJudge(target) }))
  return (entry, text, hopsBefore) => {
    const hops = hopsBefore + 1
    const circle = hops > MAX_HOPS ? `it came through ${hopsBefore} receivers: do they forward in a circle?` : null
    const chosen: NewForward[] = []
    for (const { name, order, fits, where } of judges) {
      if (!fits(entry)) continue
      const answer = where?.(text) ?? true
      if (answer === false) continue
      const forward = { target: name, hops, held: circle ?? (answer === true ? null : answer) }
      chosen.push(order === undefined ? forward : { ...forward, order })
    }
    return chosen
  }
}

function createJudge({ types, accounts, shapes, mode, where }: LoadedTarget) {
  const patterns = types?.map(toTypePattern)
  const accountSet = accounts && new Set<string | null>(accounts)
  return {
    fits: ({ type, account, shape, livemode }: Parameters<ChooseForwards>[0]) =>
      (patterns?.some((pattern) => pattern.test(type)) ?? true) &&
      (accountSet?.has(account) ?? true) &&
      (shapes?.includes(shape) ?? true) &&
      (mode === undefined || livemode === (mode === 'live')),
    /**
     * What it said, or why that is not known. Parsed anew for each target: one that changes its event does so to its own. An entry is
     * stored only of what could be parsed as an event.
     */
    where: where && ((text: string): boolean | string => ask(where, JSON.parse(text) as ForwardedEvent)),
  }
}

function ask(where: (event: ForwardedEvent) => unknown, event: ForwardedEvent): boolean | string {
  try {
    const answer = where(event)
    if (typeof answer === 'boolean') return answer
    // Nobody waits for it, and a rejection that nobody waits for would end the process.
    if (answer instanceof Promise) answer.catch(() => undefined)
    const given =
      answer instanceof Promise ? 'a promise' : answer === null ? 'null' : `a value of type ${typeof answer}`
    return `its \`where\` gave ${given}: expected true or false`
  } catch (error) {
    const { name, message } = describeError(error)
    return `its \`where\` threw ${name}: ${message}`
  }
}
