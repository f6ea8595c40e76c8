import { hostname, userInfo } from 'node:os'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type EventsInbox, makeEventsInbox } from './inbox.ts'

const who = `${userInfo().username}@${hostname()}`
let inbox: EventsInbox

beforeEach(async () => {
  inbox = await makeEventsInbox([{ eventId: 'evt_pending', state: 'pending' }])
})
afterEach(() => inbox.remove())

it('starts no handler until a resume, and records both with who did it', async () => {
  expect(await inbox.run('hold', '--reason', 'a bug')).toEqual({
    code: 0,
    stdout: 'held: deliveries are stored, and no handler starts until `npm run events -- resume`\n',
    stderr: '',
  })
  const opened = await inbox.open()
  const claim = () => opened.claim({ limit: 1, leaseMs: 60_000 })
  expect(await opened.held()).toMatchObject({ who, reason: 'a bug' })
  expect(await claim()).toEqual([])
  expect(await inbox.run('resume')).toEqual({ code: 0, stdout: 'resumed: what waited is being handled\n', stderr: '' })
  expect(await claim()).toHaveLength(1)
  expect(await opened.actions({ limit: 10 })).toMatchObject([
    { state: 'done', facts: { who, from: 'command', verb: 'resume' } },
    { state: 'done', facts: { who, from: 'command', verb: 'hold', reason: 'a bug' } },
  ])
  await opened.close()
})

it('says so, and ends with 1, when there is nothing to resume', async () => {
  expect(await inbox.run('resume')).toEqual({ code: 1, stdout: '', stderr: 'error: nothing is held\n' })
})
