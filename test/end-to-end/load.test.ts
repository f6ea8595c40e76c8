import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { openRaw } from '../support/raw-http.ts'
import { type Sent, sendUntilGone, signedRequest } from '../support/raw-sender.ts'
import { type Recorded, type ScriptedServer, scriptedJson, startScripted } from '../support/scripted-server.ts'

let server: ScriptedServer | undefined
afterEach(async () => {
  await server?.remove()
  server = undefined
})

async function start(env: Record<string, string> = {}): Promise<ScriptedServer> {
  server = await startScripted(env)
  return server
}

/** All at once, each on a connection of its own; gives the statuses. */
async function sendAtOnce(running: ScriptedServer, requests: readonly Buffer[]): Promise<(number | undefined)[]> {
  const connections = await Promise.all(requests.map(() => openRaw(running.port)))
  for (const [index, connection] of connections.entries()) connection.send(requests[index] ?? '')
  const answers = await Promise.all(connections.map((connection) => connection.answer()))
  for (const connection of connections) connection.destroy()
  return answers.map((answer) => answer?.status)
}

describe('SIGTERM under load', () => {
  // Several rounds, because it is about races.
  it.each([1, 2, 3])('answers what was sent, keeps what it took, and exits 0 (round %i)', async () => {
    const running = await start({ SHUTDOWN_TIMEOUT_MS: '3000' })
    const hanging = scriptedJson({ hangs: true }, { id: 'evt_hangs' })
    expect(await sendAtOnce(running, [signedRequest(hanging)])).toEqual([200])

    let lastId = 0
    const eventOf = (padBytes: number) => () => {
      lastId += 1
      const id = `evt_${lastId}`
      return { id, body: scriptedJson({ waitMs: 20 }, { id, pad: 'x'.repeat(padBytes) }) }
    }
    const senders: Promise<Sent>[] = [
      ...Array.from({ length: 40 }, () => sendUntilGone(running.port, { nextEvent: eventOf(0) })),
      ...Array.from({ length: 10 }, (_, index) =>
        sendUntilGone(running.port, { nextEvent: eventOf(0), pauseMs: 10 * index }),
      ),
      ...Array.from({ length: 4 }, () => sendUntilGone(running.port, { nextEvent: eventOf(300_000) })),
    ]
    await eventually('some load', () => running.recorded().length > 100)
    running.kill('SIGTERM')
    const sent = await Promise.all(senders)
    expect(await running.exited).toEqual({ code: 0, signal: null })

    expect(sent.flatMap(({ broken }) => broken)).toEqual([])
    expect(new Set(sent.flatMap(({ statuses }) => [...statuses]))).toEqual(new Set([200]))
    const accepted = sent.flatMap((sender) => sender.accepted)
    await running.withInbox(async (inbox) => {
      for (const id of accepted) expect(await inbox.get(id), id).toBeDefined()
      const { pending, handled, ...others } = await inbox.counts()
      expect(pending + handled).toBeGreaterThan(accepted.length)
      expect(Object.values(others)).toEqual([0, 0, 0, 0])
    })
    const ends = running.recorded().filter(({ what }) => what === 'end')
    expect(running.recorded()).toHaveLength(2 * ends.length + 1)
    expect(await running.find('evt_hangs')).toMatchObject({
      entry: { state: 'pending', attempts: 1 },
      attempts: [{ outcome: 'retried', error: expect.stringContaining('server stopped') }],
    })
  })
})

describe('a stop while a handler runs', () => {
  it('is not ready at once, stores what comes, and closes once the handler has ended', async () => {
    const running = await start()
    const gate = join(running.folder, 'gate')
    expect(await deliver(`${running.url}/webhook`, scriptedJson({ gate }, { id: 'evt_runs' }))).toBe(200)
    await eventually('its handler to run', () => running.recorded().length === 1)
    running.kill('SIGTERM')
    await eventually('it not to be ready', async () => (await fetch(`${running.url}/readyz`)).status === 503)
    expect(await deliver(`${running.url}/webhook`, scriptedJson({}, { id: 'evt_late' }))).toBe(200)
    writeFileSync(`${gate}.1`, '')
    expect(await running.exited).toEqual({ code: 0, signal: null })
    expect((await running.find('evt_runs')).entry.state).toBe('handled')
    expect((await running.find('evt_late')).entry).toMatchObject({ state: 'pending', attempts: 0 })
  })
})

describe('lanes', () => {
  const EVENTS = 500
  const OBJECTS = 10

  it('run 500 events of 10 objects: never two of one object at once, the objects beside each other, each event once', async () => {
    const running = await start({ WORKER_CONCURRENCY: '16' })
    const bodies = Array.from({ length: EVENTS }, (_, index) =>
      // Older and older, as Stripe may send them: `created` is no order.
      scriptedJson(
        { waitMs: 1 + (index % 3) },
        { id: `evt_${index}`, objectId: `po_${index % OBJECTS}`, created: 1_700_000_000 - index },
      ),
    )
    for (let from = 0; from < EVENTS; from += 50) {
      const requests = bodies.slice(from, from + 50).map((body) => signedRequest(body))
      expect(await sendAtOnce(running, requests)).toEqual(requests.map(() => 200))
    }
    await running.withInbox((inbox) =>
      eventually('all to be handled', async () => (await inbox.counts()).handled === EVENTS),
    )
    const recorded = running.recorded()
    const ended = recorded.filter(({ what }) => what === 'end').map(({ eventId }) => eventId)
    expect(ended).toHaveLength(EVENTS)
    expect(new Set(ended).size).toBe(EVENTS)
    const { mostOfOneLane, most } = findOverlaps(recorded)
    expect(mostOfOneLane).toBe(1)
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(OBJECTS)
  })
})

/** How many ran at once at most: of one lane, and in all. */
function findOverlaps(recorded: readonly Recorded[]): { mostOfOneLane: number; most: number } {
  const running = new Map<string, number>()
  let [mostOfOneLane, most, all] = [0, 0, 0]
  for (const { what, lane } of recorded) {
    const change = what === 'start' ? 1 : -1
    const ofLane = (running.get(lane) ?? 0) + change
    running.set(lane, ofLane)
    all += change
    mostOfOneLane = Math.max(mostOfOneLane, ofLane)
    most = Math.max(most, all)
  }
  return { mostOfOneLane, most }
}
