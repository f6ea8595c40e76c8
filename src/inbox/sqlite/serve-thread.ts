import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { ReceiverError } from '../../errors.ts'

/** An error as it crosses threads: an instance of a class would arrive as a plain Error. */
export type ThreadFailure =
  | { readonly code: ReceiverError['code']; readonly message: string }
  | { readonly error: Error }

export interface Asked<Request> {
  readonly id: number
  readonly request: Request
}

export type Answered<Answer> = { readonly id: number } & (
  | { readonly answer: Answer }
  | { readonly failure: ThreadFailure }
)

/** What a thread sends: first that it is open, or why it is not, then answers. */
export type FromThread<Answer> =
  | 'opened'
  | { readonly failure: ThreadFailure }
  | { readonly answers: readonly Answered<Answer>[] }

export type ToThread<Request> = Asked<Request> | 'close'

/** What a thread does once it is open. */
export interface Served<Request> {
  /** `next` gives the requests that wait behind this one, one at a time. */
  handle(asked: Asked<Request>, next: () => Asked<Request> | undefined): void
  close(): void
}

/** The thread's side of `createThread`: opens, says so, and serves what comes until it is told to close. */
export function serveThread<Data, Request, Answer>(
  open: (data: Data, reply: (answers: readonly Answered<Answer>[]) => void) => Served<Request>,
): void {
  const port = parentPort
  if (port === null) throw new Error('this file is a thread of its own: nothing imports it')
  const send = (message: FromThread<Answer>) => port.postMessage(message)
  let isClosing = false

  function next(): Asked<Request> | undefined {
    const message: ToThread<Request> | undefined = isClosing ? undefined : receiveMessageOnPort(port as never)?.message
    if (message === 'close') isClosing = true
    return message === 'close' ? undefined : message
  }

  try {
    // Who starts this thread gives what its `open` takes.
    const served = open(workerData as Data, (answers) => send({ answers }))
    port.on('message', (message: ToThread<Request>) => {
      if (isClosing) return
      if (message === 'close') isClosing = true
      else served.handle(message, next)
      if (!isClosing) return
      served.close()
      port.close()
    })
    send('opened')
  } catch (error) {
    send({ failure: toFailure(error) })
    port.close()
  }
}

export function toFailure(error: unknown): ThreadFailure {
  if (error instanceof ReceiverError) return { code: error.code, message: error.message }
  return { error: error instanceof Error ? error : new Error(String(error)) }
}
