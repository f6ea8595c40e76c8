import { connect } from 'node:net'

const BUFFER_BYTES = 16_384

/** A keep-alive connection that carries one request at a time, and does no more than it must to know the answer's status. */
export interface Connection {
  /** `onAnswer` is called once the whole answer has come. */
  send(request: Uint8Array, onAnswer: (status: number) => void): void
  /** Rejects when the server closes the connection or it breaks; never resolves. */
  readonly broken: Promise<never>
  close(): void
}

/** Resolves once connected to 127.0.0.1. */
export async function openConnection(port: number): Promise<Connection> {
  let received = ''
  let answer: ((status: number) => void) | undefined
  const broken = Promise.withResolvers<never>()
  // Whoever cares races against it; for the others it is no unhandled rejection.
  broken.promise.catch(() => undefined)

  function read(bytes: number, buffer: Uint8Array): boolean {
    received += Buffer.from(buffer.buffer, buffer.byteOffset, bytes).toString('latin1')
    const status = readStatus(received)
    if (status === undefined) return true
    received = ''
    answer?.(status)
    return true
  }

  // One buffer for all reads and no stream in between: half the generator's work.
  const onread = { buffer: new Uint8Array(BUFFER_BYTES), callback: read }
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread })
  const connected = Promise.withResolvers<void>()
  socket.once('connect', () => connected.resolve())
  socket.once('error', (error) => {
    connected.reject(error)
    broken.reject(error)
  })
  socket.once('close', () => broken.reject(new Error('the server closed a connection')))
  await connected.promise
  return {
    send(request, onAnswer) {
      answer = onAnswer
      socket.write(request)
    },
    broken: broken.promise,
    close: () => void socket.destroy(),
  }
}

/** Of an HTTP/1.1 answer with a Content-Length; undefined while part of it is missing. */
function readStatus(text: string): number | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
  if (length === undefined) throw new Error(`expected an answer with a Content-Length, got ${text.slice(0, headEnd)}`)
  if (text.length < headEnd + 4 + Number(length)) return undefined
  return Number(text.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
}
