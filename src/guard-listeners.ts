type Listener = (event: Event) => void
type AnyListener = Listener | { handleEvent: Listener } | null

/**
 * The signal itself, whose listeners from now on may throw: Node takes what a listener throws for an uncaught failure, and that would
 * end the process. They are removed by their identity, as ever.
 */
export function guardListeners(signal: AbortSignal, onError: (error: unknown) => void): AbortSignal {
  const add = signal.addEventListener.bind(signal)
  const remove = signal.removeEventListener.bind(signal)
  const guarded = new WeakMap<object, Listener>()
  let onabort: Listener | null = null

  function guard(listener: NonNullable<AnyListener>): Listener {
    const known = guarded.get(listener)
    if (known !== undefined) return known
    const safe = (event: Event) => {
      try {
        if (typeof listener === 'function') listener.call(signal, event)
        else listener.handleEvent(event)
      } catch (error) {
        onError(error)
      }
    }
    guarded.set(listener, safe)
    return safe
  }

  return Object.defineProperties(signal, {
    addEventListener: {
      value: (type: string, listener: AnyListener, options?: boolean | AddEventListenerOptions) =>
        listener === null ? undefined : add(type, guard(listener), options),
    },
    removeEventListener: {
      value: (type: string, listener: AnyListener, options?: boolean | EventListenerOptions) =>
        listener === null ? undefined : remove(type, guard(listener), options),
    },
    onabort: {
      get: () => onabort,
      set(listener: Listener | null) {
        if (onabort !== null) remove('abort', guard(onabort))
        onabort = typeof listener === 'function' ? listener : null
        if (onabort !== null) add('abort', guard(onabort))
      },
    },
  })
}
