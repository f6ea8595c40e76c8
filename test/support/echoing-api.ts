import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface EchoingApi {
  readonly url: string
  /** Values of the `Authorization` headers that came. */
  readonly authorizations: readonly string[]
  close(): Promise<void>
}

/** Stands for Stripe's API, and refuses everything with errors that repeat the key and all headers. */
export async function openEchoingApi(): Promise<EchoingApi> {
  const authorizations: string[] = []
  const server = createServer((req, res) => {
    authorizations.push(String(req.headers.authorization))
    const told = `${req.method} ${req.url} with ${req.headers.authorization} and ${JSON.stringify(req.rawHeaders)}`
    const status = req.url?.includes('forbidden') ? 403 : req.url?.includes('missing') ? 404 : 401
    res.writeHead(status, { 'Content-Type': 'application/json', 'Request-Id': String(req.headers.authorization) })
    res.end(JSON.stringify({ error: { type: 'invalid_request_error', message: told, code: told, param: told } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A listening TCP server's address is of this form.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    authorizations,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
