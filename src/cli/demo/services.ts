import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { text } from 'node:stream/consumers'
import { env, type Targets } from '../../event.ts'
import { checkTargets, type LoadedTarget } from '../../targets/load.ts'

/** Services of a business behind the demo's receiver: one is well, one refuses some of what it gets, one is away. */
export async function startServices(): Promise<readonly LoadedTarget[]> {
  const well = createServer((req, res) => void req.resume().on('end', () => res.end()))
  const refusing = createServer(async (req, res) => {
    const isRefused = (await text(req)).includes('"invoice.finalized"')
    if (isRefused) res.writeHead(422, { 'Content-Type': 'application/json' })
    res.end(isRefused ? '{"error":"the period of this invoice is closed"}' : '')
  })
  const away = createServer()
  const [shop, bookkeeping, warehouse] = [await listen(well), await listen(refusing), await listen(away)]
  away.close()
  const secrets = [env('DEMO_SECRET')]
  const targets = {
    shop: { url: shop, secrets, sign: 'stripe', types: ['payment_intent.*', 'checkout.session.*'] },
    bookkeeping: { url: bookkeeping, secrets, sign: 'stripe', types: ['invoice.*', 'payout.*'], final: [422] },
    warehouse: { url: warehouse, secrets, sign: 'stripe', types: ['customer.*'], shapes: ['snapshot'] },
  } satisfies Targets
  return checkTargets(targets, 'the demo', { DEMO_SECRET: `whsec_${randomBytes(24).toString('hex')}` }).targets
}

/** On a free port of this machine alone; gives its address. */
async function listen(server: Server): Promise<string> {
  // They are there for as long as the process is.
  server.listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server on TCP has a port')
  return `http://127.0.0.1:${address.port}`
}
