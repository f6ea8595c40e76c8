import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openPostgresInbox } from '../../src/inbox/postgres/inbox.ts'
import { UNTRIED } from '../../src/targets/circuit.ts'
import { startForwarder } from '../../src/targets/forwarder.ts'
import { eventually } from '../support/eventually.ts'
import { loadedTarget } from '../support/loaded-target.ts'
import { captureLog } from '../support/log-lines.ts'
import { newEntry } from '../support/new-entry.ts'
import { planPostgresSchema } from '../support/postgres-schema.ts'
import { startTargetServer, status, type TargetServer } from '../support/target-server.ts'

let undo: AsyncDisposableStack
let url: string
let server: TargetServer
beforeEach(async () => {
  undo = new AsyncDisposableStack()
  url = undo.use(planPostgresSchema()).url
  server = await startTargetServer()
})
afterEach(() => undo.disposeAsync())

async function open(): Promise<Inbox> {
  return undo.adopt(await openPostgresInbox(url, 'server'), (inbox) => inbox.close())
}

/** As a process of its own has it, with connections of its own; one request at once. */
async function startProcess(beforeWriting = async () => {}) {
  const inbox = await open()
  const captured = await captureLog()
  let looks = 0
  const forwards: Inbox['forwards'] = {
    ...inbox.forwards,
    async states() {
      const states = await inbox.forwards.states()
      looks += 1
      return states
    },
    async writeState(...given) {
      await beforeWriting()
      return inbox.forwards.writeState(...given)
    },
  }
  const forwarder = startForwarder({
    ...{ targets: [loadedTarget({ url: server.url, concurrency: 1 })], inbox: { ...inbox, forwards } },
    ...{ log: captured.log, maxAttempts: 20, proxyEnv: {}, leaseMarginMs: 15_000 },
  })
  undo.defer(() => forwarder.stop(0))
  return {
    opened: () => captured.text().includes('its circuit is open'),
    /** Resolves once it has looked anew at how targets do, and claimed by that: the second look comes after a claim. */
    async hasLooked() {
      const before = looks
      await eventually('it to look', () => looks >= before + 3)
    },
  }
}

async function add(inbox: Inbox, count: number): Promise<void> {
  const forwards = [{ target: 'shop', hops: 1, held: null }]
  await Promise.all(Array.from({ length: count }, () => inbox.add(newEntry({ forwards }))))
}

it('what one process learns of a target stops the others too', async () => {
  const inbox = await open()
  // Half a minute ago: a test waits for no circuit.
  await inbox.forwards.writeState('shop', { ...UNTRIED, failures: 9, failingSince: Date.now() - 30_000 }, 0)
  server.answer(status(500))
  const processes = [await startProcess(), await startProcess()]
  await add(inbox, 1)
  await eventually('one to open the circuit', () => processes.some(({ opened }) => opened()))
  await Promise.all(processes.map(({ hasLooked }) => hasLooked()))
  await add(inbox, 20)
  await Promise.all(processes.map(({ hasLooked }) => hasLooked()))
  expect(server.received).toHaveLength(1)
  expect(processes.filter(({ opened }) => opened())).toHaveLength(1)
})

it('one of them asks whether a target is back, and its success lets all go on', async () => {
  const inbox = await open()
  const since = Date.now() - 60_000
  const failing = { ...UNTRIED, failures: 10, failingSince: since, open: { since, probeAt: since + 30_000, probes: 0 } }
  await inbox.forwards.writeState('shop', failing, 0)
  await add(inbox, 20)
  let release = () => {}
  server.answer((response) => {
    release = () => void response.writeHead(200).end()
  })
  // Each is about to ask before it can know of the other.
  let asking = 0
  const together = () => {
    asking += 1
    return eventually('both to be about to ask', () => asking >= 2).then(() => undefined)
  }
  const processes = [await startProcess(together), await startProcess(together)]
  await eventually('the probe', () => server.received.length > 0)
  await Promise.all(processes.map(({ hasLooked }) => hasLooked()))
  expect(server.received).toHaveLength(1)
  server.answer(status(200))
  release()
  await eventually('all to be delivered', async () => (await inbox.forwards.counts()).length === 0)
  expect(new Set(server.idsOf()).size).toBe(20)
  expect(server.received).toHaveLength(20)
})
