import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { processEnvironment } from '../../support/process-environment.ts'
import { runCli } from '../../support/run-cli.ts'
import { DAY_MS, type EventsInbox, makeEventsInbox, parseLines } from './inbox.ts'

const body = Buffer.from('{"private": "né",\r\n "not utf-8": "\xff\0" }\n\n', 'latin1')
let inbox: EventsInbox

beforeAll(async () => {
  inbox = await makeEventsInbox([
    { eventId: 'evt_dropped', state: 'handled', ageMs: 40 * DAY_MS },
    {
      eventId: 'evt_dead',
      type: 'payout.failed',
      state: 'dead',
      reason: 'no bank\n  at handle',
      account: 'acct_9',
      body,
    },
    { eventId: 'evt_running', state: 'running' },
  ])
  const opened = await inbox.open()
  await opened.replay(['evt_dead'])
  const [lease] = await opened.claim({ limit: 1, leaseMs: 60_000 })
  if (lease !== undefined) await opened.settle(lease, { state: 'handled' })
  await opened.close()
})
afterAll(() => inbox.remove())

it('shows all facts and the attempts of an entry, and never its body', async () => {
  const { code, stdout, stderr } = await inbox.run('show', 'evt_dead')
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(/^event id +evt_dead$/m)
  expect(stdout).toMatch(/^type +payout\.failed$/m)
  expect(stdout).toMatch(/^account +acct_9$/m)
  expect(stdout).toMatch(/^object id +pi_evt_dead$/m)
  expect(stdout).toMatch(/^livemode +false$/m)
  expect(stdout).toMatch(/^received at +\d{4}-\S+Z \(\S+ m?s ago\)$/m)
  expect(stdout).toMatch(/^state +handled$/m)
  expect(stdout).toMatch(/^attempts +1$/m)
  expect(stdout).toMatch(/^reason +–$/m)
  expect(stdout).toMatch(new RegExp(`^body +${body.length} bytes; --payload prints them$`, 'm'))
  expect(stdout).toMatch(/^REPLAY +ATTEMPT +STARTED +TOOK +OUTCOME +ERROR$/m)
  expect(stdout).toMatch(/^0 +1 +\d{4}-\S+Z +42 ms +dead +no bank at handle$/m)
  expect(stdout).toMatch(/^1 +1 +\d{4}-\S+Z +\d+ ms +handled$/m)
  expect(stdout).not.toContain('private')
})

it('fits a terminal of 80 columns, and has all there is through a pipe', async () => {
  const reason = `Error: ${'the bank does not answer; '.repeat(9)}END`
  const long = await makeEventsInbox([{ eventId: 'evt_long', state: 'dead', reason }])
  const { stdout } = await runCli(['events', 'show', 'evt_long'], { env: long.env, columns: 80 })
  const whole = await long.run('show', 'evt_long')
  await long.remove()
  const lines = stdout.trimEnd().split('\n')
  expect(lines.filter((line) => line.length > 80)).toEqual([])
  expect(stdout).toMatch(/^reason +Error: the bank does not answer; .*…$/m)
  expect(stdout).toMatch(/^0 +1 +\d{4}-\S+Z +42 ms +dead\n {4}Error: the bank does not answer; .*…$/m)
  expect(whole.stdout.match(/END$/gm)).toHaveLength(2)
})

it('shows an entry without attempts', async () => {
  const { code, stdout } = await inbox.run('show', 'evt_running')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^state +running$/m)
  expect(stdout).not.toContain('ATTEMPT')
})

it('prints one JSON object with the fields of the entry, its history and the size of its body', async () => {
  const { stdout } = await inbox.run('show', 'evt_dead', '--json')
  expect(parseLines(stdout)).toEqual([
    expect.objectContaining({
      eventId: 'evt_dead',
      state: 'handled',
      attempts: 1,
      replays: 1,
      bodyBytes: body.length,
      history: [
        {
          number: 1,
          replay: 0,
          startedAt: expect.stringMatching(/Z$/),
          endedAt: expect.stringMatching(/Z$/),
          outcome: 'dead',
          error: 'no bank\n  at handle',
          durationMs: 42,
        },
        expect.objectContaining({ number: 1, replay: 1, outcome: 'handled', error: null }),
      ],
    }),
  ])
  expect(stdout).not.toContain('private')
})

it('prints the exact bytes of the body, and nothing else, with --payload', async () => {
  const cli = fileURLToPath(new URL('../../../src/cli.ts', import.meta.url))
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [cli, 'events', 'show', 'evt_dead', '--payload'],
    { env: { ...processEnvironment(), ...inbox.env }, encoding: 'buffer' },
  )
  expect(stdout).toEqual(body)
  expect(stderr).toEqual(Buffer.alloc(0))
})

it('says when retention dropped the body, and still shows the facts', async () => {
  const [payload, facts, json] = await Promise.all([
    inbox.run('show', 'evt_dropped', '--payload'),
    inbox.run('show', 'evt_dropped'),
    inbox.run('show', 'evt_dropped', '--json'),
  ])
  const stderr = 'error: the body of evt_dropped is gone: retention dropped it, and kept the facts\n'
  expect(payload).toEqual({ code: 1, stdout: '', stderr })
  expect(facts).toMatchObject({ code: 0, stdout: expect.stringMatching(/^body +dropped by retention$/m) })
  expect(parseLines(json.stdout)).toMatchObject([{ bodyBytes: null }])
})

it.each([[[]], [['--json']], [['--payload']]])('ends with 1 for an unknown id with %j', async (options) => {
  const result = await inbox.run('show', 'evt_unknown', ...options)
  expect(result).toEqual({ code: 1, stdout: '', stderr: 'error: no entry has the id evt_unknown\n' })
})
