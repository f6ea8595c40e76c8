import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { snapshotJson } from '../../support/sign.ts'
import { spawnServer } from '../../support/spawn-server.ts'
import { makeEventsInbox } from './inbox.ts'

it('replays beside a running server, which handles the entries anew', async () => {
  const eventIds = Array.from({ length: 50 }, (_, index) => `evt_live_${index}`)
  const type = 'payout.failed'
  const inbox = await makeEventsInbox(
    eventIds.map((eventId) => ({
      eventId,
      type,
      state: 'dead',
      body: Buffer.from(snapshotJson({ id: eventId, type })),
    })),
  )
  const folder = dirname(inbox.path)
  const handlersPath = join(folder, 'handlers.ts')
  await writeFile(handlersPath, `export const handlers = { '${type}': () => console.log('own handler ran') }`)
  const server = await spawnServer({ folder, env: { ...inbox.env, HANDLERS: handlersPath } })
  const opened = await inbox.open()
  try {
    expect(await inbox.run('replay', 'evt_live_0')).toEqual({ code: 0, stdout: 'replayed 1 entry\n', stderr: '' })
    await eventually('the entry is handled', async () => (await opened.counts()).handled === 1)
    await eventually('its handler ran', () => server.text().includes('own handler ran'))
    expect((await opened.get('evt_live_0'))?.entry).toMatchObject({ state: 'handled', attempts: 1, replays: 1 })

    const others = await inbox.run('replay', '--state', 'dead')
    expect(others).toEqual({ code: 0, stdout: 'replayed 49 entries\n', stderr: '' })
    await eventually('all are handled', async () => (await opened.counts()).handled === 50)
  } finally {
    server.kill('SIGKILL')
    await server.exited
    await opened.close()
    await inbox.remove()
  }
})
