import { afterAll, beforeAll, expect, it } from 'vitest'
import { type EventsInbox, makeEventsInbox } from './inbox.ts'

let inbox: EventsInbox
beforeAll(async () => {
  inbox = await makeEventsInbox([
    { eventId: 'evt_1', state: 'handled', objectId: 'cus_1' },
    { eventId: 'evt_2', state: 'handled', objectId: 'in_1', values: ['cus_1', 'cus_2'] },
    { eventId: 'evt_3', state: 'dead', objectId: 'in_1', values: ['cus_2'] },
  ])
})
afterAll(() => inbox.remove())

it.each([
  ['evt_2', ['evt_2']],
  ['in_1', ['evt_3', 'evt_2']],
  // What is about the object itself comes before what only names it.
  ['cus_1', ['evt_1']],
  ['cus_2', ['evt_3', 'evt_2']],
])('finds what someone means by %s', async (wanted, eventIds) => {
  const { code, stdout } = await inbox.run('find', wanted, '--json')
  const found = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).eventId)
  expect({ code, found }).toEqual({ code: 0, found: eventIds })
})

it('says that there is nothing, and ends with 1', async () => {
  expect(await inbox.run('find', 'cus_3')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: no entry has it as its id, its object or a value of SEARCH_FIELDS\n',
  })
})

it('shows a table of as many as asked for, and that there are more', async () => {
  const { code, stdout, stderr } = await inbox.run('find', 'cus_2', '--limit', '1')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^EVENT +TYPE +STATE.*\nevt_3 /)
  expect(stderr).toContain('… more')
})
