import type { Answerers } from './answers/load.ts'
import { type Config, readEnvironment } from './config.ts'
import type { Arrival } from './event/arrival.ts'
import type { Handlers } from './event.ts'
import { createChooseLane } from './handlers/choose-lane.ts'
import { loadHandlers } from './handlers/load.ts'
import { createStripeClients } from './stripe/client.ts'
import type { LoadedTarget } from './targets/load.ts'

/** What users write for this server, checked: HANDLERS, ANSWERS and TARGETS. */
export interface UserCode {
  readonly handlers: Handlers
  readonly answerers: Answerers
  readonly targets: readonly LoadedTarget[]
}

/** Tells whoever runs this of something that may be a mistake. */
export type Warn = (facts: Readonly<Record<string, unknown>>, words: string) => void

/**
 * Loads it, but for what is given, and warns of types that may be misspelt. Throws as `loadHandlers`, `loadAnswers` and `loadTargets`
 * do.
 */
export async function loadUserCode(
  config: Pick<Config, 'handlersPath' | 'answersPath' | 'targetsPath'>,
  tell: Warn,
  given: { readonly handlers?: Handlers; readonly targets?: readonly LoadedTarget[] } = {},
): Promise<UserCode> {
  const warn = (types: readonly string[], words: string) => void (types.length > 0 && tell({ types }, words))

  async function loadOwnHandlers(): Promise<Handlers> {
    const { handlers, unknownTypes } = await loadHandlers(config.handlersPath)
    warn(unknownTypes, 'HANDLERS names types that the SDK does not know: misspelt?')
    return handlers
  }

  async function loadOwnTargets(): Promise<readonly LoadedTarget[]> {
    if (config.targetsPath === undefined) return []
    const { loadTargets } = await import('./targets/load.ts')
    const { targets, unknownTypes } = await loadTargets(config.targetsPath, readEnvironment())
    warn(unknownTypes, 'TARGETS names types that the SDK does not know: misspelt?')
    return targets
  }

  async function loadOwnAnswerers(handlers: Handlers): Promise<Answerers> {
    if (config.answersPath === undefined) return new Map()
    const { loadAnswers } = await import('./answers/load.ts')
    const { answerers, unknownTypes } = await loadAnswers(config.answersPath, Object.keys(handlers.map))
    warn(unknownTypes, 'ANSWERS names requests that are not known here: misspelt?')
    return answerers
  }

  const handlers = given.handlers ?? (await loadOwnHandlers())
  return { handlers, answerers: await loadOwnAnswerers(handlers), targets: given.targets ?? (await loadOwnTargets()) }
}

/** What decides about an event when it comes. */
export async function arrivalOf(
  { handlers, answerers, targets }: UserCode,
  { mode, searchFields }: Pick<Config, 'mode' | 'searchFields'>,
  warn: Warn,
): Promise<Arrival> {
  return {
    mode,
    searchFields,
    chooseLane: chooseLaneBy(handlers, warn),
    requestTypes: new Set(answerers.keys()),
    // Nothing of it costs anything where there are none.
    ...(targets.length > 0 && { chooseForwards: await chooseForwardsBy(targets) }),
  }
}

async function chooseForwardsBy(targets: readonly LoadedTarget[]) {
  const { createChooseTargets } = await import('./targets/choose-targets.ts')
  return createChooseTargets(targets)
}

/** Undefined when all lanes are the default ones. */
function chooseLaneBy({ lane: laneOf }: Handlers, warn: Warn) {
  if (laneOf === undefined) return undefined
  const { parse } = createStripeClients({ apiKey: undefined, apiBase: undefined })
  return createChooseLane({
    ...{ laneOf, parse },
    onFault: (fault) => warn(fault, '`lane` of HANDLERS names no lane for this type; the default one is taken'),
  })
}
