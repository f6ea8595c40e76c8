import { once } from 'node:events'
import { createServer } from 'node:net'

/** A free port below those that systems give out by themselves: nobody takes it from one that listens there later, or is away. */
export async function findLastingPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const server = createServer()
    const listening = once(server.listen(port, '127.0.0.1'), 'listening')
    if (!(await listening.then(() => true, isTaken))) continue
    await once(server.close(), 'close')
    return port
  }
}

function isTaken(error: NodeJS.ErrnoException): false {
  if (error.code === 'EADDRINUSE') return false
  throw error
}
