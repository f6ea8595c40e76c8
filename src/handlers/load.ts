import { ReceiverError } from '../errors.ts'
import { isEventType } from '../event/known-types.ts'
import { twinOf } from '../event/twin.ts'
import type { Fallback, HandlerMap, Handlers, LaneOf } from '../event.ts'
import { importUserModule, isPlainObject, kindOf, type UserModule } from '../user-module.ts'
import { handlerMap } from './built-in/map.ts'

/** Handlers to start with, and what to warn about. */
export interface LoadedHandlers {
  readonly handlers: Handlers
  /** Types of the user's module that the SDK does not know: newer than it, or misspelt and then never run. */
  readonly unknownTypes: readonly string[]
}

/**
 * The handlers of a user's own module, which may have spread from the built-in ones; without a module, the built-in ones.
 * @param modulePath a `.ts`, `.js` or `.mjs` file, absolute or relative to the working directory; undefined for none
 * @throws ReceiverError `handlers_invalid` when the file is missing, fails to load, or does not export what it should
 */
export async function loadHandlers(modulePath: string | undefined): Promise<LoadedHandlers> {
  if (modulePath === undefined) return { handlers: { map: handlerMap }, unknownTypes: [] }
  const { path, exports: module } = await importUserModule(modulePath, 'HANDLERS', 'handlers_invalid')
  const own = checkedHandlers(module, path)
  const handlers = {
    map: own,
    fallback: checkedFunction<Fallback>(module, 'fallback', '(event, ctx) => { … }', path),
    lane: checkedFunction<LaneOf>(module, 'lane', "(event) => '…'", path),
    yielding: findYielding(own),
  }
  return {
    handlers,
    unknownTypes: Object.keys(own).filter((type) => !isEventType(type)),
  }
}

/** Known by the functions themselves: whatever a module takes over from the built-in map is the same one there and here. */
function findYielding(map: HandlerMap): ReadonlySet<string> {
  const own = new Map<string, unknown>(Object.entries(map))
  const builtIn = new Map<string, unknown>(Object.entries(handlerMap))
  const isBuiltIn = (type: string) => builtIn.has(type) && own.get(type) === builtIn.get(type)
  const isOwn = (type: string) => own.has(type) && !isBuiltIn(type)
  return new Set([...own.keys()].filter((type) => isBuiltIn(type) && isOwn(twinOf(type))))
}

type ModuleExports = UserModule['exports']

function checkedHandlers(module: ModuleExports, path: string): HandlerMap {
  const { handlers } = module
  if (handlers === undefined) {
    const found = 'default' in module ? 'has a default export instead' : 'does not export it'
    throw invalid(`Expected \`export const handlers = { … }\`, but ${path} ${found}. Add the named export.`)
  }
  if (!isPlainObject(handlers)) {
    throw invalid(
      `Expected \`handlers\` to be an object of event type → function, but ${path} exports ${kindOf(handlers)}. ` +
        "Write `export const handlers = { 'payout.failed': (event, ctx) => { … } }`.",
    )
  }
  for (const [type, handler] of Object.entries(handlers)) {
    if (typeof handler === 'function') continue
    throw invalid(
      `Expected a function for each event type, but ${path} has ${kindOf(handler)} for ${JSON.stringify(type)}. ` +
        'Make it `(event, ctx) => { … }`, or remove the key.',
    )
  }
  // Holds as far as it can be seen: all are functions. What they take, the module's own `satisfies HandlerMap` checks. Spread defines
  // properties and never assigns them, so that a key `__proto__` stays a key.
  return { ...handlers } as HandlerMap
}

function checkedFunction<F>(module: ModuleExports, name: string, form: string, path: string): F | undefined {
  const found = module[name]
  if (found === undefined) return undefined
  if (typeof found === 'function') {
    // A function is all that can be seen from here.
    return found as F
  }
  throw invalid(
    `Expected \`${name}\` to be a function, but ${path} exports ${kindOf(found)}. ` +
      `Write \`export const ${name} = ${form}\`, or remove it.`,
  )
}

function invalid(message: string): ReceiverError {
  return new ReceiverError('handlers_invalid', message)
}
