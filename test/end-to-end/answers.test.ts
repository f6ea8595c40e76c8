import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Stripe from 'stripe'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EntryDetail } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { makeScratch } from '../support/scratch.ts'
import type { Ask } from '../support/scripted-answers.ts'
import { sign, snapshotJson } from '../support/sign.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'

const ANSWERS = fileURLToPath(new URL('../support/scripted-answers.ts', import.meta.url))
const BREAKING = new URL('../support/breaking-writer.ts', import.meta.url).href
const TYPE = 'issuing_authorization.request'
const approved = { approved: true, metadata: { by: 'the function' } }
const otherwise = { approved: false, metadata: { by: 'otherwise' } }

let scratch: Awaited<ReturnType<typeof makeScratch>>
let server: ServerProcess
const pathTo = (name: string) => join(scratch.path, name)

beforeEach(async () => {
  scratch = await makeScratch()
  server = await start()
})
afterEach(async () => {
  server.kill('SIGKILL')
  await server.exited
  await scratch.remove()
})

function start(env: Record<string, string> = {}): Promise<ServerProcess> {
  return spawnServer({
    folder: scratch.path,
    env: {
      ...{ ANSWERS, RECORD_FILE: pathTo('record.txt'), BREAK_FILE: pathTo('break') },
      NODE_OPTIONS: `--import ${BREAKING}`,
      ...env,
    },
  })
}

let lastId = 0
function createRequest(ask: Ask, more: Record<string, string> = {}): { id: string; body: string } {
  lastId += 1
  const [id, objectId] = [`evt_request_${lastId}`, `iauth_${lastId}`]
  const object = { id: objectId, object: 'issuing.authorization', metadata: { ask, ...more } }
  return { id, body: snapshotJson({ id, type: TYPE, data: { object } }) }
}

async function send(body: string) {
  const headers = { 'stripe-signature': sign(body) }
  const response = await fetch(`${server.url}/webhook`, { method: 'POST', body, headers })
  return { status: response.status, headers: response.headers, answer: await response.json() }
}

const runsOf = (id: string) =>
  (existsSync(pathTo('record.txt')) ? readFileSync(pathTo('record.txt'), 'utf8') : '')
    .split('\n')
    .filter((line) => line === id).length

async function find(id: string): Promise<EntryDetail | undefined> {
  const inbox = await openSqliteInbox(pathTo('data/inbox.db'), 'command')
  try {
    return await inbox.get(id)
  } finally {
    await inbox.close()
  }
}

async function metric(name: string, how?: string): Promise<number | undefined> {
  const text = await (await fetch(`${server.adminUrl}/metrics`)).text()
  const labels = how === undefined ? `{type="${TYPE}"}` : `{type="${TYPE}",how="${how}"}`
  const line = text.split('\n').find((each) => each.startsWith(`stripe_receiver_${name}${labels} `))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}

describe('a request of Stripe', () => {
  it('gets the function’s answer as Stripe takes it, which is kept with its entry', async () => {
    const { id, body } = createRequest('approve')
    const { status, headers, answer } = await send(body)
    expect({ status, answer }).toEqual({ status: 200, answer: approved })
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('stripe-version')).toBe(Stripe.API_VERSION)
    expect(await find(id)).toMatchObject({
      entry: { state: 'handled', attempts: 0, type: TYPE },
      decision: { answer: approved, how: 'answered', reason: null },
    })
    expect(await metric('answers_total', 'answered')).toBe(1)
    expect(await metric('answers_before_stored_total')).toBe(0)
  })

  it('may be a hook without an object, of a type that is answered alone', async () => {
    const hook = (type: string, id: string) =>
      JSON.stringify({ id, type, livemode: false, context: 'acct_1', data: { order: 7 } })
    const { status, answer } = await send(hook('v1.delegated_checkout.finalize_checkout', 'hook_1'))
    expect({ status, answer }).toEqual({
      status: 200,
      answer: { manual_approval_details: { type: 'approved' }, order: 7 },
    })
    expect((await find('hook_1'))?.entry).toMatchObject({ account: 'acct_1', createdAt: null, state: 'handled' })
    const other = await send(hook('v1.delegated_checkout.customize_checkout', 'hook_2'))
    expect(other).toMatchObject({ status: 400, answer: { error: { code: 'bad_payload' } } })
  })

  it.each([
    ['hang', 'otherwise', /did not answer within 1000 ms/],
    ['throw in a listener', 'otherwise', /did not answer/],
    ['throw', 'failed', /the ledger is away/],
    ['answer rubbish', 'failed', /approved: Invalid input/],
  ] as const)('gets `otherwise` where the function would %s', async (ask, how, reason) => {
    const { id, body } = createRequest(ask)
    expect(await send(body)).toMatchObject({ status: 200, answer: otherwise })
    // At the end of its time the reply does not wait for the decision, only the entry is there.
    const detail = await eventually('the decision', async () => {
      const found = await find(id)
      return found?.decision ? found : undefined
    })
    expect(detail.decision).toMatchObject({ answer: otherwise, how, reason: expect.stringMatching(reason) })
    expect(await metric('answers_total', how)).toBe(1)
    expect(await send(createRequest('approve').body)).toMatchObject({ answer: approved })
  })

  it('that comes twice at once is run once, and has one answer', async () => {
    const { id, body } = createRequest('approve after a while', { after: '300' })
    const replies = await Promise.all([send(body), send(body)])
    expect(replies.map(({ answer }) => answer)).toEqual([approved, approved])
    expect(runsOf(id)).toBe(1)
    expect(await metric('answers_total', 'stored')).toBe(1)
  })

  it('that comes again after a restart gets the stored answer', async () => {
    const { id, body } = createRequest('approve')
    await send(body)
    server.kill('SIGKILL')
    await server.exited
    server = await start({ SIGNED_BY: 'another' })
    expect(await send(createRequest('approve').body)).toMatchObject({ answer: { metadata: { by: 'another' } } })
    expect(await send(body)).toMatchObject({ status: 200, answer: approved })
    expect((await find(id))?.decision?.answer).toEqual(approved)
    expect(await metric('answers_total', 'stored')).toBe(1)
  })

  it('that is under way when something fails beside it, which ends the server, is answered', async () => {
    const { id, body } = createRequest('approve after a while', { after: '500' })
    const replying = send(body)
    await eventually('the function to run', () => runsOf(id) === 1)
    await send(createRequest('fail beside it').body)
    expect(await replying).toMatchObject({ status: 200, answer: approved })
    expect((await server.exited).code).toBe(1)
  })

  it('that is under way when the server stops is answered', async () => {
    const { id, body } = createRequest('approve after a while', { after: '700' })
    const replying = send(body)
    await eventually('the function to run', () => runsOf(id) === 1)
    server.kill('SIGTERM')
    expect(await replying).toMatchObject({ status: 200, answer: approved })
    expect(await server.exited).toEqual({ code: 0, signal: null })
    expect((await find(id))?.decision?.answer).toEqual(approved)
  })
})

describe('while the store', () => {
  const breakWriter = () => {
    writeFileSync(pathTo('breaking'), 'hang')
    renameSync(pathTo('breaking'), pathTo('break'))
  }
  async function expectKept(id: string): Promise<void> {
    await eventually('the reply to be stored', async () => (await find(id))?.decision?.answer !== undefined, 20_000)
    expect((await find(id))?.decision).toMatchObject({ answer: approved, how: 'answered' })
    expect(runsOf(id)).toBe(1)
  }

  it('hangs, the answer goes out in time, and is stored once it goes on', async () => {
    breakWriter()
    const ordinary = snapshotJson()
    await eventually('a refusal', async () => (await send(ordinary)).status === 503)
    const { id, body } = createRequest('approve')
    expect(await send(body)).toMatchObject({ status: 200, answer: approved })
    // It is known here, though it is not stored.
    expect(await send(body)).toMatchObject({ status: 200, answer: approved })
    expect(runsOf(id)).toBe(1)
    expect(await metric('answers_before_stored_total')).toBe(2)
    await eventually(
      'both in the log',
      () => server.lines().filter(({ msg }) => msg === 'a reply goes out before its request is stored').length === 2,
    )
    rmSync(pathTo('break'))
    await expectKept(id)
  })

  it('is down, the answer goes out, and is stored once it is back', async () => {
    renameSync(pathTo('data'), pathTo('away'))
    const { id, body } = createRequest('approve')
    expect(await send(body)).toMatchObject({ status: 200, answer: approved })
    expect(await metric('answers_before_stored_total')).toBe(1)
    const hanging = createRequest('hang')
    expect(await send(hanging.body)).toMatchObject({ status: 200, answer: otherwise })
    renameSync(pathTo('away'), pathTo('data'))
    await expectKept(id)
  })
})
