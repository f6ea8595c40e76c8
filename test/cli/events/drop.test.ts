import { hostname, userInfo } from 'node:os'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addDead, DAY_MS, type EventsInbox, makeEventsInbox } from './inbox.ts'

let inbox: EventsInbox

beforeEach(async () => {
  inbox = await makeEventsInbox([
    { eventId: 'evt_old', type: 'payout.failed', state: 'dead', ageMs: 3 * DAY_MS, account: 'acct_9' },
    { eventId: 'evt_dead', type: 'payout.failed', state: 'dead' },
    { eventId: 'evt_handled', type: 'payout.paid', state: 'handled' },
    { eventId: 'evt_unhandled', type: 'payout.paid', state: 'unhandled' },
    { eventId: 'evt_parked', type: 'payout.paid', state: 'parked' },
    { eventId: 'evt_running', type: 'payout.paid', state: 'running' },
    { eventId: 'evt_pending', type: 'payout.paid', state: 'pending' },
  ])
})
afterEach(() => inbox.remove())

const findDropped = async () => (await inbox.find('handled')).filter((eventId) => eventId !== 'evt_handled')

describe('which entries it drops', () => {
  it.each([
    [
      ['evt_dead', 'evt_parked', 'evt_dead'],
      ['evt_parked', 'evt_dead'],
    ],
    [
      ['--state', 'dead'],
      ['evt_dead', 'evt_old'],
    ],
    [
      ['--type', 'payout.*'],
      ['evt_parked', 'evt_unhandled', 'evt_dead', 'evt_old'],
    ],
    [
      ['--since', '1d', '--type', '*.paid'],
      ['evt_parked', 'evt_unhandled'],
    ],
    [['--account', 'acct_9'], ['evt_old']],
  ])('with %j', async (args, expected) => {
    const noun = expected.length === 1 ? 'entry' : 'entries'
    const stdout = `dropped ${expected.length} ${noun}\n`
    expect(await inbox.run('drop', ...args)).toEqual({ code: 0, stdout, stderr: '' })
    expect(await findDropped()).toEqual(expected)
  })

  it.each([
    [[], 'expected event ids, or a filter: --state, --type, --account, --object, '],
    [['evt_dead', '--state', 'dead'], 'expected event ids or a filter, not both'],
    [['--state', 'dead,handled'], 'what is handled cannot be dropped: expected --state of dead, parked, unhandled'],
    [['--state', 'pending'], 'what is pending cannot be dropped'],
  ])('refuses %j', async (args, expected) => {
    const { code, stdout, stderr } = await inbox.run('drop', ...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`error: ${expected}`)
    expect(await findDropped()).toEqual([])
  })

  it('leaves others alone, tells why, and ends with 1', async () => {
    expect(await inbox.run('drop', 'evt_handled', 'evt_dead', 'evt_running', 'evt_pending', 'evt_unknown')).toEqual({
      code: 1,
      stdout: 'dropped 1 entry, 4 left alone\n',
      stderr: `evt_handled left alone: it is handled
evt_running left alone: it is running
evt_pending left alone: it is pending
evt_unknown left alone: no entry has this id
`,
    })
    expect(await findDropped()).toEqual(['evt_dead'])
  })
})

it('records who dropped it and when, and a replay takes it back', async () => {
  const startedAt = Date.now()
  await inbox.run('drop', 'evt_old')
  const opened = await inbox.open()
  const entry = (await opened.get('evt_old'))?.entry
  await opened.close()
  expect(entry).toMatchObject({ state: 'handled', reason: `dropped by ${userInfo().username}@${hostname()}` })
  expect(entry?.settledAt?.getTime()).toBeGreaterThanOrEqual(startedAt)
  expect(await inbox.run('replay', 'evt_old')).toMatchObject({ code: 0 })
})

it('counts with --dry-run, and changes nothing', async () => {
  const { code, stdout, stderr } = await inbox.run('drop', '--type', 'payout.*', '--dry-run')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^ENTRIES +STATE +TYPE\n2 +dead +payout\.failed\n/)
  expect(stdout).toContain('\nwould drop 4 entries; nothing was changed\n')
  expect(await findDropped()).toEqual([])
})

it('asks on a terminal before it drops more than 100, and not with --yes', async () => {
  const opened = await inbox.open()
  await addDead(opened, 150)
  await opened.close()
  const refused = await inbox.runTyping('\n', 'drop', '--type', '*')
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(refused.stderr).toContain('Drop 155 entries? [y/N] ')
  expect(await findDropped()).toEqual([])
  expect(await inbox.runTyping('', 'drop', '--type', '*', '--yes')).toMatchObject({
    code: 0,
    stdout: 'dropped 155 entries\n',
  })
})
