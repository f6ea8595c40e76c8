import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { runCli } from '../../support/run-cli.ts'
import { makeScratch } from '../../support/scratch.ts'
import { type EventsInbox, makeEventsInbox, parseLines } from './inbox.ts'

let inbox: EventsInbox

beforeAll(async () => {
  inbox = await makeEventsInbox([
    { eventId: 'evt_1', state: 'dead' },
    { eventId: 'evt_2', state: 'dead' },
    { eventId: 'evt_3', state: 'parked' },
    { eventId: 'evt_4', state: 'handled' },
    { eventId: 'evt_5', state: 'pending', ageMs: 5 * 3_600_000 },
    { eventId: 'evt_6', state: 'pending' },
  ])
})
afterAll(() => inbox.remove())

describe('counts', () => {
  it('prints the entries of each state, and for how long what waits has been due', async () => {
    const { code, stdout, stderr } = await inbox.run('counts')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout.replace(/ +/g, ' ')).toBe(
      'STATE ENTRIES\npending 2\nrunning 0\nhandled 1\nunhandled 0\nparked 1\ndead 2\n\nlongest due: 5 h\n',
    )
  })

  it('prints one JSON object', async () => {
    const { stdout } = await inbox.run('counts', '--json')
    const [counts] = parseLines(stdout)
    expect(counts).toMatchObject({ pending: 2, running: 0, handled: 1, unhandled: 0, parked: 1, dead: 2 })
    expect(counts?.oldestPendingMs).toBeGreaterThan(5 * 3_600_000 - 1)
  })

  it('says that all handling is held, since when, by whom and why', async () => {
    const held = await makeEventsInbox([])
    onTestFinished(held.remove)
    expect(parseLines((await held.run('counts', '--json')).stdout)).toMatchObject([{ held: null }])
    await held.run('hold', '--reason', 'a\nbug')
    const [table, json] = await Promise.all([held.run('counts'), held.run('counts', '--json')])
    expect(table.stdout).toMatch(/\nheld since \d{4}-\S+Z \(\S+ m?s ago\) by \S+@\S+: a bug\n$/)
    const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(parseLines(json.stdout)).toMatchObject([{ held: { since, who: expect.any(String), reason: 'a\nbug' } }])
    await held.run('hold')
    expect((await held.run('counts')).stdout).toMatch(/ by \S+@\S+$/m)
  })

  it('says that none is pending', async () => {
    const empty = await makeEventsInbox([])
    const [table, json] = await Promise.all([empty.run('counts'), empty.run('counts', '--json')])
    await empty.remove()
    expect(table.stdout).toMatch(/pending +0\n.*\nlongest due: none\n$/s)
    expect(parseLines(json.stdout)).toMatchObject([{ pending: 0, oldestPendingMs: null }])
  })
})

const commands = [['counts'], ['list'], ['show', 'evt_1'], ['replay', 'evt_1'], ['drop', 'evt_1'], ['park', 'evt_1']]

describe('the database', () => {
  it.each(commands)('is named and not created when it is not there: %s', async (...args) => {
    const scratch = await makeScratch()
    const result = await runCli(['events', ...args], { cwd: scratch.path })
    await scratch.remove()
    expect(result).toEqual({
      code: 1,
      stdout: '',
      stderr: `error: There is no inbox at ${join(scratch.path, 'data', 'inbox.db')}. Set DATABASE_URL to the server's file, or start the server once to create it.\n`,
    })
  })

  it('is read from .env', async () => {
    const scratch = await makeScratch()
    await writeFile(join(scratch.path, '.env'), `DATABASE_URL=${inbox.env.DATABASE_URL}\nPORT=nonsense\n`)
    const { code } = await runCli(['events', 'counts'], { cwd: scratch.path })
    await scratch.remove()
    expect(code).toBe(0)
  })

  it('has a malformed URL refused without its value', async () => {
    const { code, stderr } = await runCli(['events', 'counts'], { env: { DATABASE_URL: 'whsec_misplaced' } })
    expect(code).toBe(1)
    expect(stderr).toContain('error: The configuration has 1 fault(s):\n  DATABASE_URL: expected')
    expect(stderr).not.toContain('misplaced')
  })

  it('that cannot be opened is named with the cause', async () => {
    const broken = await makeEventsInbox([])
    await writeFile(broken.path, 'not a database'.repeat(1_000))
    const { code, stdout, stderr } = await broken.run('counts')
    await broken.remove()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(`error: Cannot open the inbox ${broken.path}: the file is not a database.`)
  })

  it('that another process locks can be read, and a replay says why it cannot be done', async () => {
    const other = new DatabaseSync(inbox.path)
    other.exec('BEGIN IMMEDIATE')
    const [counts, replay] = await Promise.all([inbox.run('counts'), inbox.run('replay', '--state', 'dead')])
    other.close()
    expect(counts.code).toBe(0)
    expect(replay).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: The inbox cannot be used now: locked by another process\..* Entries replayed before that: 0\.\n$/,
      ),
    })
  })
})

describe('options', () => {
  it.each([
    [['list', '--state', 'dead,gone'], 'one or more of pending, running, handled, unhandled, parked, dead'],
    [['list', '--state', ''], 'one or more of pending'],
    [['list', '--since', '2'], "argument '2' is invalid. Expected s, m, h or d after a whole number"],
    [['list', '--since', '0h'], 'such as 30m, 2h or 3d'],
    [
      ['list', '--since', 'yesterday'],
      'a time that has been, such as 2026-11-21T10:00Z, which without a zone is in UTC.',
    ],
    [['replay', '--until', '2w'], 'such as 30m, 2h or 3d'],
    [['list', '--limit', '0'], "argument '0' is invalid. Expected a whole number from 1 to 100000"],
    [['list', '--limit', 'all'], 'a whole number from 1 to 100000'],
    [['list', '--account', 'cus_1'], 'acct_1A2b3C4d5E6f'],
    [['list', '--type', 'payout.paid,payout.failed'], 'Expected one event type'],
    [['show', 'evt_1', '--payload', '--json'], "'--payload' cannot be used with option '--json'"],
    [['show'], "missing required argument 'event-id'"],
    [['park'], "missing required argument 'event-ids'"],
    [['drop', '--state', 'gone'], 'one or more of pending'],
    [['list', 'evt_1'], 'too many arguments'],
    [['lists'], 'Did you mean list?'],
  ])('refuses %j and says what it expected', async (args, expected) => {
    const { code, stdout, stderr } = await inbox.run(...args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain(expected)
    expect(stderr).toContain('(--help tells more)')
  })
})
