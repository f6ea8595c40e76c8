import { serveThread } from '../../src/inbox/sqlite/serve-thread.ts'

/** What the thread is told to do. */
export type ThreadRequest =
  | { readonly echo: string }
  | { readonly refuse: string }
  | { readonly throw: string }
  | { readonly exit: number }
  | { readonly hang: SharedArrayBuffer }

/** Opens unless told why it should not, and does what each request asks for. */
serveThread<{ readonly failure?: string }, ThreadRequest, string>(({ failure }, reply) => {
  if (failure !== undefined) throw new Error(failure)
  return {
    handle({ id, request }) {
      if ('echo' in request) reply([{ id, answer: request.echo }])
      else if ('refuse' in request) reply([{ id, failure: { code: 'store_unavailable', message: request.refuse } }])
      else if ('throw' in request) throw new Error(request.throw)
      else if ('exit' in request) process.exit(request.exit)
      // Until someone else wakes it, as a thread that waits for a disk.
      else Atomics.wait(new Int32Array(request.hang), 0, 0)
    },
    close() {},
  }
})
