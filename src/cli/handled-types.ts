import { loadAnswers } from '../answers/load.ts'
import type { HandledTypes } from '../destinations/types.ts'
import { loadHandlers } from '../handlers/load.ts'
import type { Settings } from './settings.ts'

/** What is handled and answered here, and those of its types that are not known. Throws as `loadHandlers` and `loadAnswers` do. */
export async function loadHandledTypes({
  handlersPath,
  answersPath,
}: Pick<Settings, 'handlersPath' | 'answersPath'>): Promise<
  HandledTypes & { readonly unknownTypes: readonly string[] }
> {
  const { handlers, unknownTypes } = await loadHandlers(handlersPath)
  const builtIn = new Map<string, unknown>(Object.entries((await loadHandlers(undefined)).handlers.map))
  const own = Object.entries(handlers.map)
  const handledTypes = own.map(([type]) => type)
  const { answerers } = await loadAnswers(answersPath, handledTypes)
  return {
    handledTypes,
    requestTypes: [...answerers.keys()],
    yieldingTypes: handlers.yielding,
    // By the function: a module may have taken it over.
    builtInTypes: new Set(own.flatMap(([type, handler]) => (builtIn.get(type) === handler ? [type] : []))),
    hasFallback: handlers.fallback !== undefined,
    unknownTypes,
  }
}
