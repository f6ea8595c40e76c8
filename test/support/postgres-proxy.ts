import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What a process asks, or what Postgres answers. */
type Direction = 'question' | 'answer'

/** What becomes of some bytes: with `cut` both ends of their connection are reset, with `halve` after the first half has passed. */
type Fate = 'pass' | 'cut' | 'halve'

/** Judges the bytes as they come, and the end of either side, which has none: it passes or not as they do. Until it resolves, what follows waits. */
export type Rule = (direction: Direction, bytes: Buffer) => Fate | Promise<Fate>

export interface PostgresProxy {
  /** The DATABASE_URL, through the proxy. */
  readonly url: string
  /** Holds for all connections from now on; `undefined` lets everything pass. */
  setRule(rule: Rule | undefined): void
  /** Tells one side of every connection that the other has nothing more to say; what that side says goes on to the other. */
  finish(side: 'process' | 'postgres'): void
  /** Resets both ends of every connection. */
  cut(): void
  [Symbol.asyncDispose](): Promise<void>
}

interface Link {
  readonly process: Socket
  readonly postgres: Socket
}

/** `Z`, its length, and `I`: the end of an answer after which no transaction is open, so what it answers is committed or undone. */
const READY = Buffer.from([0x5a, 0, 0, 0, 5, 0x49])

/** Whether an answer says that all that was asked is done. */
export function isDone(answer: Buffer): boolean {
  return answer.subarray(-READY.length).equals(READY)
}

/** Stands before a Postgres and does to its connections what networks do. */
export async function openPostgresProxy(databaseUrl: string): Promise<PostgresProxy> {
  const { hostname, port } = new URL(databaseUrl)
  const links = new Set<Link>()
  let rule: Rule | undefined

  function reset(link: Link): void {
    // Node keeps the handle of a socket for ever that is reset after its end was sent.
    for (const end of [link.process, link.postgres]) end.writableEnded ? end.destroy() : end.resetAndDestroy()
    links.delete(link)
  }

  async function carry(link: Link, direction: Direction): Promise<void> {
    const [from, to] =
      direction === 'question' ? [link.process, link.postgres] : ([link.postgres, link.process] as const)
    for await (const bytes of from) {
      const fate = (await rule?.(direction, bytes)) ?? 'pass'
      if (fate !== 'cut') to.write(fate === 'pass' ? bytes : bytes.subarray(0, bytes.length / 2))
      if (fate !== 'pass') return reset(link)
    }
    const fate = (await rule?.(direction, Buffer.alloc(0))) ?? 'pass'
    if (fate === 'pass') to.end()
    else reset(link)
  }

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const postgres = connect({ host: hostname, port: Number(port || 5432), noDelay: true, allowHalfOpen: true })
    const link = { process: socket, postgres }
    links.add(link)
    // What went wrong at one end is told to the other by a reset, and there is nobody else to tell.
    for (const end of [socket, postgres]) end.on('error', () => reset(link))
    const carried = [carry(link, 'question'), carry(link, 'answer')]
    void Promise.all(carried).then(
      () => links.delete(link),
      () => reset(link),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // It listens on a port, so its address is no path.
  const address = server.address() as AddressInfo
  const cut = () => {
    for (const link of links) reset(link)
  }
  return {
    url: Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port: String(address.port) }).href,
    setRule(next) {
      rule = next
    },
    finish(side) {
      for (const link of links) link[side].end()
    },
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
