import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Stands where the way to the internet would be, as an HTTP proxy that lets nothing through. */
export interface Outside {
  /** For HTTP_PROXY and HTTPS_PROXY. Go programs never use a proxy towards the loopback. */
  readonly url: string
  /** The places that were asked for, such as `api.github.com:443`. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

/** Starts one on a free port. */
export async function startOutside(): Promise<Outside> {
  const asked: string[] = []
  const server = createServer((req, res) => {
    asked.push(req.url ?? '')
    res.writeHead(502).end()
  })
  server.on('connect', (req, socket) => {
    asked.push(req.url ?? '')
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A listening TCP server's address is of this form.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
