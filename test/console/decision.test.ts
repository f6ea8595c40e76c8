import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Decision } from '../../src/event.ts'
import { newEntry } from '../support/new-entry.ts'
import { type ConsoleRig, openConsole } from './rig.ts'

const HOSTILE = '<script>alert(1)</script>'
const EVENT = 'evt_request'
const PAGE = `/console/event?id=${EVENT}`

let rig: ConsoleRig
beforeAll(async () => {
  rig = await openConsole()
  const { inbox } = rig.service
  await inbox.add(newEntry({ eventId: EVENT, type: 'issuing_authorization.request', state: 'handled' }))
  const decision: Decision = { answer: { approved: true }, how: 'otherwise', durationMs: 1_234, reason: HOSTILE }
  await inbox.decide(EVENT, decision)
})
afterAll(() => rig.close())

it('an event that was answered in its delivery shows what was replied, how, and why', async () => {
  const { text } = await rig.ask(PAGE)
  const told = '{&quot;approved&quot;:true} after 1.2 s (otherwise: &lt;script&gt;alert(1)&lt;/script&gt;)'
  expect(text).toContain(`<p>Replied: <code>${told}</code></p>`)
  await rig.service.inbox.add(newEntry({ eventId: 'evt_other' }))
  expect((await rig.ask('/console/event?id=evt_other')).text).not.toContain('Replied')
})

it('its replay is not offered, and refused, which is recorded', async () => {
  expect((await rig.ask(PAGE)).text).not.toContain('/console/replay')
  const headers = { origin: rig.url }
  const { headers: sent } = await rig.ask(`/console/replay?id=${EVENT}`, { method: 'POST', headers })
  expect(sent.location).toBe(`${PAGE}&done=left`)
  expect((await rig.ask(String(sent.location))).text).toMatch(
    /Left alone: .* answered in its delivery, cannot be replayed/,
  )
  expect((await rig.service.inbox.get(EVENT))?.entry).toMatchObject({ state: 'handled', replays: 0, attempts: 0 })
  const [action] = await rig.service.inbox.actions({ limit: 1 })
  expect(action?.facts).toMatchObject({ verb: 'replay', eventIds: [EVENT], changed: 0, leftAlone: 1 })
})

it('the preview of a replay does not count it, and that of what matches does', async () => {
  const choice = 'state=handled&type=issuing_authorization.request'
  expect((await rig.ask(`/console/change?verb=replay&${choice}`)).text).toContain(
    'Nothing that can be replayed matches',
  )
  expect((await rig.ask(`/console/events?${choice}`)).text).toContain(EVENT)
})
