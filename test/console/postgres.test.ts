import { expect, it } from 'vitest'
import { loadedTarget } from '../support/loaded-target.ts'
import { newEntry } from '../support/new-entry.ts'
import { planPostgresSchema } from '../support/postgres-schema.ts'
import { openConsole } from './rig.ts'

it('every page is there on Postgres, with what it shows', async () => {
  const schema = planPostgresSchema()
  const rig = await openConsole({ DATABASE_URL: schema.url }, undefined, [loadedTarget()])
  try {
    const { inbox } = rig.service
    await inbox.add(newEntry({ eventId: 'evt_1', type: 'payout.failed', values: ['cus_1'] }))
    const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
    if (lease) await inbox.settle(lease, { state: 'dead', error: 'bank says no\nat pay' })
    const forwards = [{ target: 'shop', hops: 1, held: null }]
    await inbox.add(newEntry({ eventId: 'evt_2', forwards }))
    const sent = await inbox.forwards.claim({ wanted: [{ target: 'shop', limit: 1 }], leaseMs: 60_000 })
    for (const each of sent)
      await inbox.forwards.settle(each, { state: 'dead', error: 'answered 500', status: 500, answer: 'out of paper' })
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
      ['/console/failures', 'answered 500'],
      ['/console/event?id=evt_2', 'out of paper'],
      ['/console/targets', '127.0.0.1:1'],
      ['/console/target?name=shop', 'out of paper'],
    ] as const) {
      const { status, text } = await rig.ask(path)
      expect({ path, status }).toEqual({ path, status: 200 })
      expect(text).toContain(told)
    }
    const cause = new URLSearchParams({ target: 'shop', state: 'dead', reason: 'answered 500' })
    const asked = await rig.ask(`/console/replay-forwards?${cause}`, { method: 'POST', headers: origin })
    expect(asked.headers.location).toMatch(/^\/console\/action\?id=\d+$/)
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

it('takes what no text of Postgres may hold, in an address or a form', async () => {
  const schema = planPostgresSchema()
  const rig = await openConsole({ DATABASE_URL: schema.url }, undefined, [loadedTarget()])
  try {
    for (const [path, status] of [
      ['/console/event?id=evt%00', 404],
      ['/console/events?type=a%00&reason=b%00&since=1h', 200],
      ['/console/events?before=evt%00', 200],
      ['/console/target?name=a%00', 404],
    ] as const)
      expect({ path, status: (await rig.ask(path)).status }).toEqual({ path, status })
    const form = (body: string) => ({
      ...{ method: 'POST', body },
      headers: { origin: rig.url, 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect((await rig.ask('/console/hold', form('reason=no%00paper'))).status).toBe(303)
    expect((await rig.ask('/console')).text).toContain('nopaper')
    expect((await rig.ask('/console/target/hold?name=shop', form('reason=out%00of'))).status).toBe(303)
    expect((await rig.ask('/console/actions')).text).toContain('outof')
  } finally {
    await rig.close()
    await schema.remove()
  }
})
