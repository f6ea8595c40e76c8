import { expect, it } from 'vitest'
import { newEntry } from '../support/new-entry.ts'
import { planPostgresSchema } from '../support/postgres-schema.ts'
import { openConsole } from './rig.ts'

it('every page is there on Postgres, with what it shows', async () => {
  const schema = planPostgresSchema()
  const rig = await openConsole({ DATABASE_URL: schema.url })
  try {
    const { inbox } = rig.service
    await inbox.add(newEntry({ eventId: 'evt_1', type: 'payout.failed', values: ['cus_1'] }))
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
    if (lease) await inbox.settle(lease, { state: 'dead', error: 'bank says no\nat pay' })
    await inbox.recordFigures({
      ...{ accepted: 7, handled: 0, failed: 1, waits: [], refused: { bad_payload: 1 } },
      ...{ proven: { 'account 1:…abcd': 7 }, versions: {} },
    })
    const origin = { origin: rig.url }
    for (const [path, told] of [
      ['/console', '1:…abcd'],
      ['/console?range=week', 'rightly signed, but no event'],
      ['/console/events?state=dead&value=cus_1&since=1h', 'evt_1'],
      ['/console/event?id=evt_1', 'at pay'],
      ['/console/failures', 'bank says no'],
      ['/console/change?verb=replay&state=dead', 'Replay 1 entry<'],
      ['/console/actions', 'Nobody has done anything'],
      ['/console/live', 'evt_1'],
    ] as const) {
      const { status, text } = await rig.ask(path)
      expect({ path, status }).toEqual({ path, status: 200 })
      expect(text).toContain(told)
    }
    await rig.ask('/console/hold', { method: 'POST', headers: origin })
    expect((await rig.ask('/console')).text).toContain('Handling is held')
    expect((await rig.ask('/console/replay?id=evt_1', { method: 'POST', headers: origin })).headers.location).toContain(
      'done=replayed',
    )
  } finally {
    await rig.close()
    await schema.remove()
  }
})
