import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newEntry } from '../../support/new-entry.ts'
import { runCli } from '../../support/run-cli.ts'
import { addDead, DAY_MS, type EventsInbox, makeEventsInbox } from './inbox.ts'

let inbox: EventsInbox

beforeEach(async () => {
  inbox = await makeEventsInbox([
    { eventId: 'evt_dropped', type: 'payout.paid', state: 'handled', ageMs: 40 * DAY_MS },
    { eventId: 'evt_old', type: 'payout.failed', state: 'dead', ageMs: 3 * DAY_MS, account: 'acct_9' },
    { eventId: 'evt_dead', type: 'payout.failed', state: 'dead' },
    { eventId: 'evt_dead2', type: 'invoice.paid', state: 'dead' },
    { eventId: 'evt_handled', type: 'invoice.paid', state: 'handled' },
    { eventId: 'evt_parked', type: 'payout.paid', state: 'parked' },
    { eventId: 'evt_running', type: 'payout.paid', state: 'running' },
  ])
})
afterEach(() => inbox.remove())

describe('which entries it replays', () => {
  it.each([
    [['evt_old'], ['evt_old']],
    [
      ['evt_old', 'evt_parked', 'evt_old'],
      ['evt_parked', 'evt_old'],
    ],
    [
      ['--state', 'dead'],
      ['evt_dead2', 'evt_dead', 'evt_old'],
    ],
    [
      ['--type', 'payout.f*'],
      ['evt_dead', 'evt_old'],
    ],
    [['--account', 'acct_9'], ['evt_old']],
    // What was handled is not meant by a filter that does not name it.
    [
      ['--type', 'payout.*'],
      ['evt_parked', 'evt_dead', 'evt_old'],
    ],
    [
      ['--since', '1d'],
      ['evt_parked', 'evt_dead2', 'evt_dead'],
    ],
    [
      ['--since', '1d', '--state', 'dead'],
      ['evt_dead2', 'evt_dead'],
    ],
    [
      ['--state', 'dead,parked', '--type', 'payout.*'],
      ['evt_parked', 'evt_dead', 'evt_old'],
    ],
  ])('with %j', async (args, expected) => {
    const noun = expected.length === 1 ? 'entry' : 'entries'
    expect(await inbox.run('replay', ...args)).toEqual({
      code: 0,
      stdout: `replayed ${expected.length} ${noun}\n`,
      stderr: '',
    })
    expect(await inbox.find('pending')).toEqual(expected)
  })

  it.each([
    [[], 'expected event ids, or a filter: --state, --type, --account, --object, '],
    [['--dry-run'], 'expected event ids, or a filter'],
    [['evt_dead', '--state', 'dead'], 'expected event ids or a filter, not both'],
  ])('refuses %j', async (args, expected) => {
    const { code, stdout, stderr } = await inbox.run('replay', ...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`error: ${expected}`)
    expect(await inbox.find('pending')).toEqual([])
  })
})

describe('what it leaves alone', () => {
  it('ends with 1 when a named entry cannot be replayed, tells why, and replays the others', async () => {
    const result = await inbox.run('replay', 'evt_dropped', 'evt_dead', 'evt_unknown', 'evt_running')
    expect(result).toEqual({
      code: 1,
      stdout: 'replayed 1 entry, 3 left alone\n',
      stderr: `evt_dropped left alone: retention dropped its body
evt_unknown left alone: no entry has this id
evt_running left alone: it is running
`,
    })
    expect(await inbox.find('pending')).toEqual(['evt_dead'])
  })

  it('ends with 0 when a filter matches such entries beside others', async () => {
    expect(await inbox.run('replay', '--type', 'payout.paid', '--state', 'handled,parked')).toEqual({
      code: 0,
      stdout: 'replayed 1 entry, 1 left alone\n',
      stderr: 'evt_dropped left alone: retention dropped its body\n',
    })
    expect(await inbox.find('pending')).toEqual(['evt_parked'])
  })

  it('ends with 1 when a filter matches nothing, or nothing else', async () => {
    const [nothing, dropped, running] = await Promise.all([
      inbox.run('replay', '--type', 'payout.imaginary'),
      inbox.run('replay', '--type', 'payout.paid', '--state', 'handled'),
      inbox.run('replay', '--state', 'running,dead'),
    ])
    expect(nothing).toEqual({ code: 1, stdout: '', stderr: 'error: no entry matches\n' })
    expect(dropped).toMatchObject({ code: 1, stdout: 'replayed 0 entries, 1 left alone\n' })
    const expected = 'expected --state of pending, handled, unhandled, parked, dead'
    const stderr = `error: what is running cannot be replayed: ${expected}\n`
    expect(running).toEqual({ code: 1, stdout: '', stderr })
    expect(await inbox.find('pending')).toEqual([])
  })
})

describe('with --dry-run', () => {
  it('fits a terminal of 80 columns', async () => {
    const type = 'v2.core.account[configuration.merchant].capability_status_updated'
    const opened = await inbox.open()
    await opened.add(newEntry({ eventId: 'evt_v2', type, state: 'parked', reason: 'for a test' }))
    await opened.close()
    const { stdout } = await runCli(['events', 'replay', '--type', 'v2.*', '--dry-run'], {
      env: inbox.env,
      columns: 80,
    })
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    expect(stdout).toMatch(/^1 +parked +v2\.core\.account\S+…\S+status_updated$/m)
  })

  it('counts what a filter would replay and changes nothing', async () => {
    const { code, stdout, stderr } = await inbox.run('replay', '--type', 'p*', '--dry-run')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^ENTRIES +STATE +TYPE\n2 +dead +payout\.failed\n1 +parked +payout\.paid\n\n/)
    expect(stdout).toContain('\nwould replay 3 entries; nothing was changed\n')
    expect(stderr).toBe('')
    expect(await inbox.find('pending')).toEqual([])
  })

  it('does the same with ids', async () => {
    const { code, stdout, stderr } = await inbox.run('replay', 'evt_dead', 'evt_unknown', '--dry-run')
    expect(code).toBe(1)
    expect(stdout).toMatch(/\n1 +dead +payout\.failed\n\nwould replay 1 entry, 1 left alone; nothing was changed\n$/)
    expect(stderr).toBe('evt_unknown left alone: no entry has this id\n')
    expect(await inbox.find('pending')).toEqual([])
  })
})

it('is recorded with who did it, what was chosen, and how many', async () => {
  await inbox.run('replay', '--state', 'dead', '--type', 'payout.*', '--yes')
  const opened = await inbox.open()
  const [action] = await opened.actions({ limit: 1 })
  await opened.close()
  expect(action).toMatchObject({
    state: 'done',
    facts: { who: expect.stringContaining('@'), from: 'command', verb: 'replay', filter: 'state=dead&type=payout.*' },
  })
  expect(action?.facts.changed).toBeGreaterThan(0)
})

it('replays thousands, and tells how far it is on standard error', async () => {
  const opened = await inbox.open()
  await addDead(opened, 2_150)
  await opened.close()
  expect(await inbox.run('replay', '--type', 'payment_intent.*', '--dry-run')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('would replay 2150 entries; nothing was changed\n'),
    stderr: 'looked at 1000 entries\nlooked at 2000 entries\n',
  })
  expect(await inbox.run('replay', '--type', 'payment_intent.*')).toEqual({
    code: 0,
    stdout: 'replayed 2150 entries\n',
    stderr: 'replaying: 1000 entries\nreplaying: 2000 entries\n',
  })
  expect(await inbox.find('pending')).toHaveLength(2_150)
})

describe('on a terminal', () => {
  /** These and the three of the fixture. */
  const addMany = async (count: number) => {
    const opened = await inbox.open()
    await addDead(opened, count - 3)
    await opened.close()
  }

  it('asks before it replays more than 100, and takes no for an answer', async () => {
    await addMany(101)
    const refused = await inbox.runTyping('n\n', 'replay', '--state', 'dead')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('Replay 101 entries? [y/N] ')
    expect(refused.stderr).toMatch(/error: nothing was changed\n$/)
    expect(await inbox.find('pending')).toEqual([])
    expect(await inbox.runTyping('y\n', 'replay', '--state', 'dead')).toMatchObject({
      code: 0,
      stdout: 'replayed 101 entries\n',
    })
  })

  it.each([
    [100, []],
    [101, ['--yes']],
  ])('does not ask for %i with %j', async (count, options) => {
    await addMany(count)
    const { code, stdout, stderr } = await inbox.runTyping('', 'replay', '--state', 'dead', ...options)
    expect({ code, stdout }).toEqual({ code: 0, stdout: `replayed ${count} entries\n` })
    expect(stderr).not.toContain('[y/N]')
  })
})
