import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { pipeline, Transform } from 'node:stream'

export interface PostgresGate {
  /** The DATABASE_URL, through the gate. */
  readonly url: string
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Stands before a Postgres and holds back who begins a transaction, until so many do: from then on they go on at once, however far
 * apart they started. What comes later passes.
 */
export async function openPostgresGate(databaseUrl: string, transactions: number): Promise<PostgresGate> {
  const { hostname, port } = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const held: (() => void)[] = []
  let isOpen = false

  const hold = () =>
    new Transform({
      transform(bytes: Buffer, _encoding, pass) {
        if (isOpen || !bytes.includes('BEGIN')) return pass(null, bytes)
        held.push(() => pass(null, bytes))
        isOpen = held.length === transactions
        if (isOpen) for (const release of held) release()
      },
    })
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    const postgres = connect({ host: hostname, port: Number(port || 5432), noDelay: true })
    // When either end breaks off, so does the other: nothing else is to be done.
    pipeline(socket, hold(), postgres, socket, () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address() as AddressInfo
  return {
    url: Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: String(address.port) }).href,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
