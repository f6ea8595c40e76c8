import type { Fallback, HandlerMap } from '../../src/event.ts'

/** What the attempts of all events fail with once one of them has changed the prototype of all objects. */
export const POLLUTED = 'the prototype of all objects was changed'

/** For HANDLERS: takes every type, beside the built-in ones. */
export const handlers: HandlerMap = {}
export const fallback: Fallback = () => {
  if ('polluted' in {}) throw new Error(POLLUTED)
}
