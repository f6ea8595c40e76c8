import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A message as it came. */
export interface ReceivedAlert {
  readonly path: string
  readonly contentType: string | undefined
  readonly json: { readonly text: string; readonly kind: string; readonly [fact: string]: unknown }
}

/** Stands in for a chat's webhook, as a real HTTP server on the loopback. */
export interface AlertReceiver {
  readonly url: string
  /** In order of arrival. */
  readonly alerts: ReceivedAlert[]
  /** A status to answer with, 200 at first, or `hang` for never. */
  behaviour: number | 'hang'
  close(): Promise<void>
}

/** Redirects (`behaviour` 3xx) lead to `/elsewhere`, which takes messages too. */
export async function startAlertReceiver(): Promise<AlertReceiver> {
  const alerts: ReceivedAlert[] = []
  const server = createServer(async (req, res) => {
    const json = JSON.parse(await text(req))
    alerts.push({ path: req.url ?? '', contentType: req.headers['content-type'], json })
    if (receiver.behaviour === 'hang') return
    // What such systems answer may tell their own URL.
    res.writeHead(receiver.behaviour, { Location: '/elsewhere' }).end(`cannot POST ${req.url}`)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A listening TCP server's address is of this form.
  const { port } = server.address() as AddressInfo
  const receiver: AlertReceiver = {
    url: `http://127.0.0.1:${port}`,
    alerts,
    behaviour: 200,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return receiver
}
