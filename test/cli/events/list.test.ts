import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../support/run-cli.ts'
import { DAY_MS, type EventsInbox, makeEventsInbox, parseLines } from './inbox.ts'

const BODY = '{"private":"card of the customer"}'
const facts = { body: Buffer.from(BODY) }
let inbox: EventsInbox

beforeAll(async () => {
  inbox = await makeEventsInbox([
    { ...facts, eventId: 'evt_old', type: 'payout.failed', state: 'dead', reason: 'no bank', ageMs: 3 * DAY_MS },
    { ...facts, eventId: 'evt_handled', state: 'handled', account: 'acct_1A2b', ageMs: 5 * 3_600_000 },
    { ...facts, eventId: 'evt_unhandled', type: 'invoice.paid', state: 'unhandled' },
    { ...facts, eventId: 'evt_parked', state: 'parked', reason: 'test event, live server' },
    { ...facts, eventId: 'evt_dead', type: 'payout.paid', state: 'dead', account: 'acct_9', reason: 'x'.repeat(300) },
    { ...facts, eventId: 'evt_running', state: 'running' },
    { ...facts, eventId: 'evt_waiting', type: 'payment_intent.canceled', state: 'pending' },
  ])
})
afterAll(() => inbox.remove())

describe('which entries it lists', () => {
  it.each<[string[], string[]]>([
    [[], ['evt_waiting', 'evt_running', 'evt_dead', 'evt_parked', 'evt_unhandled', 'evt_handled', 'evt_old']],
    [
      ['--state', 'dead'],
      ['evt_dead', 'evt_old'],
    ],
    [
      ['--state', 'pending, running', '--state=parked'],
      ['evt_waiting', 'evt_running', 'evt_parked'],
    ],
    [['--type', 'payout.paid'], ['evt_dead']],
    [
      ['--type', 'payout.*'],
      ['evt_dead', 'evt_old'],
    ],
    [['--account', 'acct_1A2b'], ['evt_handled']],
    [
      ['--since', '2h'],
      ['evt_waiting', 'evt_running', 'evt_dead', 'evt_parked', 'evt_unhandled'],
    ],
    [['--object', 'pi_evt_old'], ['evt_old']],
    [['--id', 'evt_parked'], ['evt_parked']],
    [['--reason', 'LIVE server', '--source', 'delivery', '--shape', 'snapshot'], ['evt_parked']],
    [
      ['--until', '2h'],
      ['evt_handled', 'evt_old'],
    ],
    [['--since', '1d', '--until', '1h'], ['evt_handled']],
    [
      ['--since', '2d', '--state', 'dead,handled', '--type', '*'],
      ['evt_dead', 'evt_handled'],
    ],
    [
      ['--since', '4d', '--state', 'dead', '--limit', '2'],
      ['evt_dead', 'evt_old'],
    ],
  ])('with %j', async (args, expected) => {
    const { code, stdout, stderr } = await inbox.run('list', '--json', ...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(parseLines(stdout).map(({ eventId }) => eventId)).toEqual(expected)
  })

  it('says when more match than it shows', async () => {
    const { code, stdout, stderr } = await inbox.run('list', '--json', '--state', 'dead', '--limit', '1')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '… more: --limit shows more than 1\n' })
    expect(parseLines(stdout)).toMatchObject([{ eventId: 'evt_dead' }])
  })
})

describe('how it lists them', () => {
  it('prints a table with a reason that stays whole through a pipe, and no colours', async () => {
    const { stdout } = await inbox.run('list')
    const rows = stdout.trimEnd().split('\n')
    expect(rows[0]).toMatch(/^EVENT +TYPE +ACCOUNT +STATE +ATTEMPTS +RECEIVED +REASON$/)
    expect(rows[1]).toMatch(/^evt_waiting +payment_intent\.canceled +– +pending +0 +\S+ m?s ago$/)
    expect(rows[3]).toMatch(/^evt_dead +payout\.paid +acct_9 +dead +1 +\S+ m?s ago +x{300}$/)
    expect(rows[6]).toMatch(/^evt_handled +payment_intent\.succeeded +acct_1A2b +handled +1 +5 h ago$/)
    expect(rows[7]).toMatch(/^evt_old .* 3 d ago +no bank$/)
    expect(stdout).not.toContain('\u001b')
  })

  it('leaves columns out that would be empty', async () => {
    const { stdout } = await inbox.run('list', '--type', 'invoice.paid')
    expect(stdout).toMatch(/^EVENT +TYPE +STATE +ATTEMPTS +RECEIVED\nevt_unhandled .* ago\n$/)
  })

  it('prints every field of the entry as JSON, with ISO dates', async () => {
    const { stdout } = await inbox.run('list', '--json', '--type', 'payout.failed')
    const [printed] = parseLines(stdout)
    const opened = await inbox.open()
    const stored = (await opened.get('evt_old'))?.entry
    await opened.close()
    expect(printed).toEqual(JSON.parse(JSON.stringify(stored)))
    expect(printed).toMatchObject({
      eventId: 'evt_old',
      type: 'payout.failed',
      account: null,
      livemode: false,
      createdAt: '2023-11-14T22:13:20.000Z',
      receivedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      state: 'dead',
      attempts: 1,
      reason: 'no bank',
    })
  })

  it('never prints a body', async () => {
    const outputs = await Promise.all([inbox.run('list'), inbox.run('list', '--json')])
    for (const { stdout, stderr } of outputs) expect(stdout + stderr).not.toContain('private')
  })
})

it('ends with 1 when a filter matches nothing', async () => {
  expect(await inbox.run('list', '--type', 'payout.imaginary')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'error: no entry matches\n',
  })
})

it('ends with 0 when the inbox is empty', async () => {
  const empty = await makeEventsInbox([])
  const result = await empty.run('list')
  await empty.remove()
  expect(result).toEqual({ code: 0, stdout: '', stderr: 'The inbox is empty.\n' })
})

describe('on a terminal of 80 columns', () => {
  const eventId = (char: string) => `evt_1Q${char.repeat(22)}`
  const thinId = `evt_test_${'6'.repeat(44)}`
  const account = 'acct_1A2b3C4d5E6f7G8h'
  const reason = `Error: ${'the bank does not answer; '.repeat(9)}`
  const rows = [
    { eventId: eventId('a'), type: 'account.external_account.updated', state: 'dead', account, reason },
    { eventId: eventId('b'), type: 'account.application.deauthorized', state: 'unhandled', account },
    { eventId: eventId('c'), state: 'handled', ageMs: 25 * DAY_MS },
  ] as const

  async function list(planned: Parameters<typeof makeEventsInbox>[0], ...args: string[]): Promise<string[]> {
    const full = await makeEventsInbox(planned)
    const { stdout } = await runCli(['events', 'list', ...args], { env: full.env, columns: 80 })
    await full.remove()
    return stdout.trimEnd().split('\n')
  }

  it('no line is longer, and ids, states and attempts are whole', async () => {
    const lines = await list(rows)
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(lines[0]).toMatch(/^EVENT +TYPE +STATE +ATTEMPTS$/)
    expect(lines[2]).toMatch(new RegExp(`^${eventId('c')}  payment_intent\\.succeeded +handled +1$`))
    expect(lines[3]).toMatch(new RegExp(`^${eventId('b')}  account\\.[a-z.]+…[a-z.]+authorized +unhandled +1$`))
    expect(lines[5]).toMatch(/^ {4}Error: the bank does not answer; .*…$/)
  })

  it('ids of thin events are whole too', async () => {
    const type = 'v1.account.application.deauthorized'
    const lines = await list([...rows, { eventId: thinId, type, shape: 'thin', state: 'dead', account, reason }])
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(lines[0]).toMatch(/^EVENT +TYPE +STATE$/)
    expect(lines[2]).toMatch(new RegExp(`^${thinId}  v1\\.\\S+…\\S+ed  dead$`))
  })

  it('JSON is not cut', async () => {
    const lines = await list(rows, '--json')
    expect(JSON.parse(lines[2] ?? '')).toMatchObject({ ...rows[0], account })
  })
})
