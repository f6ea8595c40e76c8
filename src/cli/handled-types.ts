import type { HandledTypes } from '../destinations/types.ts'
import { loadHandlers } from '../handlers/load.ts'

/** What is handled here, and those of its types that the SDK does not know. Throws as `loadHandlers` does. */
export async function loadHandledTypes(
  handlersPath: string | undefined,
): Promise<HandledTypes & { readonly unknownTypes: readonly string[] }> {
  const { handlers, unknownTypes } = await loadHandlers(handlersPath)
  const builtIn = new Map<string, unknown>(Object.entries((await loadHandlers(undefined)).handlers.map))
  const own = Object.entries(handlers.map)
  return {
    handledTypes: own.map(([type]) => type),
    yieldingTypes: handlers.yielding,
    // By the function: a module may have taken it over.
    builtInTypes: new Set(own.flatMap(([type, handler]) => (builtIn.get(type) === handler ? [type] : []))),
    hasFallback: handlers.fallback !== undefined,
    unknownTypes,
  }
}
