import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { type ScriptedServer, scriptedJson, startScripted } from '../support/scripted-server.ts'

let server: ScriptedServer | undefined
afterEach(async () => {
  await server?.remove()
  server = undefined
})

async function start(env: Record<string, string> = {}): Promise<ScriptedServer> {
  server = await startScripted({ HANDLER_TIMEOUT_MS: '300', ...env })
  return server
}

const settledLines = (running: ScriptedServer, eventId: string) =>
  running.lines().filter((line) => line.eventId === eventId && line.durationMs !== undefined)
const settled = (running: ScriptedServer, eventId: string) =>
  eventually(`${eventId} to settle`, () => settledLines(running, eventId).length > 0)
const ended = (running: ScriptedServer, eventId: string, attempt = 1) =>
  eventually(`attempt ${attempt} of ${eventId} to end`, () =>
    running.recorded().some((line) => line.what === 'end' && line.eventId === eventId && line.attempt === attempt),
  )

async function isAlive(running: ScriptedServer): Promise<boolean> {
  const id = `evt_alive_${running.recorded().length}`
  const status = await deliver(`${running.url}/webhook`, scriptedJson({}, { id }))
  await settled(running, id)
  return status === 200
}

describe('a handler that misbehaves', () => {
  it('hangs: it keeps its place, and the others go on', async () => {
    const running = await start({ WORKER_CONCURRENCY: '2' })
    const post = (body: string) => deliver(`${running.url}/webhook`, body)
    expect(await post(scriptedJson({ hangs: true }, { id: 'evt_hang' }))).toBe(200)
    for (const id of ['evt_1', 'evt_2', 'evt_3']) expect(await post(scriptedJson({}, { id }))).toBe(200)
    for (const id of ['evt_1', 'evt_2', 'evt_3']) await settled(running, id)
    for (const id of ['evt_1', 'evt_2', 'evt_3']) expect((await running.find(id)).entry.state).toBe('handled')
    await eventually('its limit', () => running.text().includes('keeps its place and its lane'))
    expect(await running.find('evt_hang')).toMatchObject({ entry: { state: 'running', attempts: 1 }, attempts: [] })
    expect(await isAlive(running)).toBe(true)
  })

  it('throws, or returns, after its time limit: that changes nothing, and the process lives', async () => {
    const running = await start({ MAX_ATTEMPTS: '1' })
    const late = { evt_throws: { waitMs: 500, throws: 'too late' }, evt_returns: { waitMs: 500 } }
    for (const [id, script] of Object.entries(late)) {
      expect(await deliver(`${running.url}/webhook`, scriptedJson(script, { id }))).toBe(200)
    }
    for (const id of Object.keys(late)) {
      await ended(running, id)
      expect(await isAlive(running)).toBe(true)
      const { entry, attempts } = await running.find(id)
      expect(entry).toMatchObject({ state: 'dead', reason: expect.stringContaining('300 ms') })
      expect(attempts).toMatchObject([{ outcome: 'dead' }])
      expect(settledLines(running, id)).toHaveLength(1)
    }
    expect(running.text()).not.toContain('too late')
  })

  it('blocks the event loop beyond its time limit: deliveries sent meanwhile are answered after it, and nothing is settled twice', async () => {
    const running = await start()
    const post = (body: string) => deliver(`${running.url}/webhook`, body)
    await post(scriptedJson({ waitMs: 100 }, { id: 'evt_waits' }))
    await post(scriptedJson({ blockMs: 700 }, { id: 'evt_blocks' }))
    const blocks = () => running.recorded().filter(({ eventId }) => eventId === 'evt_blocks')
    await eventually('the block', () => blocks().length > 0)
    const meanwhile = Array.from({ length: 20 }, (_, index) => `evt_meanwhile_${index}`)
    expect(blocks()).toHaveLength(1)
    const answers = await Promise.all(meanwhile.map((id) => post(scriptedJson({}, { id }))))
    expect(answers).toEqual(meanwhile.map(() => 200))
    for (const id of ['evt_waits', 'evt_blocks', ...meanwhile]) {
      await settled(running, id)
      const { entry, attempts } = await running.find(id)
      expect([entry.state, attempts.length, entry.attempts], id).toEqual(['handled', 1, 1])
      expect(settledLines(running, id), id).toHaveLength(1)
    }
  })

  it('ends after its entry was parked by hand and replayed: the attempt that has the lease decides alone', async () => {
    const running = await start({ HANDLER_TIMEOUT_MS: '60000' })
    const gate = join(running.folder, 'gate')
    await deliver(`${running.url}/webhook`, scriptedJson({ gate, throws: 'failed' }, { id: 'evt_lost' }))
    const starts = (count: number) =>
      eventually(`start ${count}`, () => running.recorded().filter(({ what }) => what === 'start').length === count)
    await starts(1)
    const inbox = await openSqliteInbox(join(running.folder, 'data', 'inbox.db'), 'command')
    await inbox.park(['evt_lost'], 'parked by hand')
    await inbox.replay(['evt_lost'])
    await starts(2)
    // Both are first attempts, before the replay and after it, and end at once.
    await writeFile(`${gate}.1`, '')
    await settled(running, 'evt_lost')
    await eventually('the late result', () => running.text().includes('lease was lost'))
    expect(await inbox.get('evt_lost')).toMatchObject({
      entry: { state: 'pending', attempts: 1, replays: 1, reason: 'failed' },
      attempts: [
        { number: 1, replay: 0, outcome: 'lost', error: 'parked by hand' },
        { number: 1, replay: 1, outcome: 'retried', error: 'failed' },
      ],
    })
    await inbox.close()
    expect(settledLines(running, 'evt_lost')).toHaveLength(1)
  })
})

describe('an event that was stored and not handled when the process was killed', () => {
  it('is handled once after the next start, though it was delivered again in between', async () => {
    const first = await start({ ROLE: 'receive' })
    const body = scriptedJson({}, { id: 'evt_stored' })
    expect(await deliver(`${first.url}/webhook`, body)).toBe(200)
    first.kill('SIGKILL')
    await first.exited
    const second = await startScripted({}, { folder: first.folder })
    try {
      expect(await deliver(`${second.url}/webhook`, body)).toBe(200)
      await settled(second, 'evt_stored')
      expect(await second.find('evt_stored')).toMatchObject({ entry: { state: 'handled', attempts: 1 } })
      expect(second.recorded().map(({ what }) => what)).toEqual(['start', 'end'])
    } finally {
      await second.remove()
    }
  })
})
