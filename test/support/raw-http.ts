import { connect } from 'node:net'

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** Status line and headers, as sent. */
  readonly head: string
  readonly body: string
  /** Whether the server said that it closes the connection after it. */
  readonly isLast: boolean
}

/** A TCP connection on which a test says what it likes, and sees exactly how the server ends it. */
export interface RawConnection {
  send(bytes: string | Uint8Array): void
  /** No more will be sent; answers may still come. */
  finish(): void
  /** The next answer; undefined when the connection ended before a whole one came. */
  answer(): Promise<RawAnswer | undefined>
  /** How it ended: `closed` in good order, or an error's code such as `ECONNRESET`; undefined while it is open. */
  ending(): string | undefined
  readonly ended: Promise<string>
  destroy(): void
}

/** Resolves once connected to 127.0.0.1; rejects with the error of a refused connection. */
export async function openRaw(port: number): Promise<RawConnection> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
  const connected = Promise.withResolvers<void>()
  const end = Promise.withResolvers<string>()
  let ending: string | undefined
  let received: Buffer = Buffer.alloc(0)
  let takeAnswer: ((answer: RawAnswer | undefined) => void) | undefined

  function offer(): void {
    if (takeAnswer === undefined) return
    const parsed = parseAnswer(received, ending !== undefined)
    if (parsed === undefined && ending === undefined) return
    received = parsed?.rest ?? received
    takeAnswer(parsed?.answer)
    takeAnswer = undefined
  }
  function finishWith(how: string): void {
    if (ending !== undefined) return
    ending = how
    end.resolve(how)
    offer()
  }

  socket.on('data', (chunk: Buffer) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    offer()
  })
  socket.once('connect', connected.resolve)
  socket.once('end', () => {
    finishWith('closed')
    socket.destroy()
  })
  socket.once('error', (error: NodeJS.ErrnoException) => {
    connected.reject(error)
    finishWith(error.code ?? error.message)
  })
  socket.once('close', () => finishWith('closed'))
  await connected.promise
  return {
    send: (bytes) => void socket.write(bytes),
    finish: () => void socket.end(),
    answer: () =>
      new Promise((resolve) => {
        takeAnswer = resolve
        offer()
      }),
    ending: () => ending,
    ended: end.promise,
    destroy: () => void socket.destroy(),
  }
}

/**
 * Sends the bytes on a connection of their own, and gives the answers: as many as are `expected`, or else all until the server
 * ends the connection, which it must, because the client half-closes it.
 */
export async function exchangeRaw(port: number, bytes: string | Uint8Array, expected = Infinity): Promise<RawAnswer[]> {
  const connection = await openRaw(port)
  connection.send(bytes)
  if (expected === Infinity) connection.finish()
  const answers: RawAnswer[] = []
  while (answers.length < expected) {
    const answer = await connection.answer()
    if (answer === undefined) break
    answers.push(answer)
  }
  connection.destroy()
  return answers
}

const HEAD_END = '\r\n\r\n'

/** The first whole answer of what came, past any `100 Continue`; undefined while part of it is missing. */
function parseAnswer(received: Buffer, isEnded: boolean): { answer: RawAnswer; rest: Buffer } | undefined {
  const headBytes = received.indexOf(HEAD_END)
  if (headBytes < 0) return undefined
  const head = received.toString('latin1', 0, headBytes)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1])
  const afterHead = received.subarray(headBytes + HEAD_END.length)
  if (status === 100) return parseAnswer(afterHead, isEnded)
  const isLast = /\r\nconnection: *close/i.test(head)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  // Node's own refusal of what is no HTTP has no length: it ends with the connection.
  if (length === undefined && !isEnded) return undefined
  const bodyBytes = length === undefined ? afterHead.length : Number(length)
  if (afterHead.length < bodyBytes) return undefined
  const body = afterHead.toString('utf8', 0, bodyBytes)
  return { answer: { status, head, body, isLast }, rest: afterHead.subarray(bodyBytes) }
}

/** Bytes of a whole request with a Content-Length. A header given as an array is sent once for each value. */
export function rawRequest(
  body: string | Uint8Array,
  {
    method = 'POST',
    path = '/webhook',
    headers = {},
  }: { method?: string; path?: string; headers?: Readonly<Record<string, string | readonly string[]>> } = {},
): Buffer {
  const bytes = Buffer.from(body)
  const lines = Object.entries(headers).flatMap(([name, values]) =>
    (typeof values === 'string' ? [values] : values).map((value) => `${name}: ${value}\r\n`),
  )
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${bytes.length}\r\n${lines.join('')}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes])
}
