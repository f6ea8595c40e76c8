import { afterEach, beforeEach, expect, it } from 'vitest'
import { type EventsInbox, makeEventsInbox, parseLines } from './inbox.ts'

let inbox: EventsInbox

beforeEach(async () => {
  inbox = await makeEventsInbox([
    { eventId: 'evt_1', state: 'dead' },
    { eventId: 'evt_2', state: 'parked' },
  ])
})
afterEach(() => inbox.remove())

const columnsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/))

it('tells who did what, newest first, from the command line and the console', async () => {
  await inbox.run('drop', '--state', 'dead', '--since', '2h')
  await inbox.run('replay', 'evt_2', 'evt_gone')
  await inbox.run('hold', '--reason', 'a\nbug')
  const opened = await inbox.open()
  const facts = { who: 'ann', from: 'console', verb: 'replay', filter: 'type=payout.*' } as const
  const id = await opened.recordAction('running', { ...facts, entries: 7, changed: 3, leftAlone: 1 })
  const [running] = await opened.actions({ limit: 1 })
  await opened.close()

  const { stdout, code } = await inbox.run('actions')
  expect(code).toBe(0)
  const [, ...rows] = columnsOf(stdout)
  expect(rows.map((row) => row.slice(2))).toEqual([
    ['console', 'replay', 'running', '3 of 7, 1 left alone', "--type 'payout.*'"],
    ['command', 'hold', 'done', '–', 'a bug'],
    ['command', 'replay', 'done', '1, 1 left alone', 'evt_2 evt_gone'],
    ['command', 'drop', 'done', '1', expect.stringMatching(/^--state dead --since \d{4}-\d\d-\d\dT[\d:.]+Z$/)],
  ])
  expect(rows[0]?.slice(0, 2)).toEqual([expect.stringMatching(/ ago$/), 'ann'])

  const listed = await inbox.run('actions', '--json', '--limit', '1')
  expect(parseLines(listed.stdout)).toEqual([
    { id, at: running?.at.toISOString(), state: 'running', ...running?.facts },
  ])
  expect(listed.stderr).toBe('… more: --limit shows more than 1\n')
})

it('says so when there is none', async () => {
  expect(await inbox.run('actions')).toEqual({ code: 0, stdout: '', stderr: 'Nobody has done anything yet.\n' })
})

it('tells which target something was done to', async () => {
  const opened = await inbox.open()
  const filters = ['target=shop', 'target=shop&state=dead,held', 'target=shop&state=dead&reason=answered+500']
  for (const filter of filters)
    await opened.recordAction('done', {
      who: 'ann',
      from: 'console',
      verb: 'replay target',
      filter,
      eventIds: ['evt_1'],
    })
  await opened.close()
  const [, ...rows] = columnsOf((await inbox.run('actions')).stdout)
  expect(rows.map((row) => row.at(-1))).toEqual(['shop dead: answered 500 evt_1', 'shop dead,held evt_1', 'shop evt_1'])
})
