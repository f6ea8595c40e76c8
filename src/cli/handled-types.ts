import { loadAnswers } from '../answers/load.ts'
import { readEnvironment } from '../config.ts'
import type { HandledTypes } from '../destinations/types.ts'
import { loadHandlers } from '../handlers/load.ts'
import { loadTargets } from '../targets/load.ts'
import { findTakenTypes } from '../targets/taken-types.ts'
import type { Settings } from './settings.ts'

/**
 * What is handled here, by handlers and by targets that name their types, and answered, and those of its types that are not known. A
 * target that names none takes whatever comes, as a fallback does. Throws as `loadHandlers`, `loadAnswers` and `loadTargets` do.
 */
export async function loadHandledTypes({
  handlersPath,
  answersPath,
  targetsPath,
}: Pick<Settings, 'handlersPath' | 'answersPath' | 'targetsPath'>): Promise<
  HandledTypes & { readonly unknownTypes: readonly string[] }
> {
  const { handlers, unknownTypes } = await loadHandlers(handlersPath)
  const { targets, unknownTypes: unknownPatterns } = await loadTargets(targetsPath, readEnvironment())
  const builtIn = new Map<string, unknown>(Object.entries((await loadHandlers(undefined)).handlers.map))
  const own = Object.entries(handlers.map)
  const handledTypes = own.map(([type]) => type)
  const { answerers, unknownTypes: unknownRequests } = await loadAnswers(answersPath, handledTypes)
  const forwarded = findTakenTypes(targets.filter(({ types }) => types !== undefined)).difference(answerers)
  return {
    handledTypes: [...new Set([...handledTypes, ...forwarded])],
    requestTypes: [...answerers.keys()],
    yieldingTypes: handlers.yielding?.difference(forwarded),
    // By the function: a module may have taken it over.
    builtInTypes: new Set(
      own.flatMap(([type, handler]) => (builtIn.get(type) === handler && !forwarded.has(type) ? [type] : [])),
    ),
    hasFallback: handlers.fallback !== undefined || targets.some(({ types }) => types === undefined),
    unknownTypes: [...unknownTypes, ...unknownPatterns, ...unknownRequests],
  }
}
