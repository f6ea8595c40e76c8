import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Stripe from 'stripe'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ForwardLease } from '../../../src/inbox/forwards.ts'
import type { Inbox } from '../../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../../src/inbox/sqlite/inbox.ts'
import { TARGET_SECRET } from '../../support/loaded-target.ts'
import { newEntry } from '../../support/new-entry.ts'
import { runCli } from '../../support/run-cli.ts'
import { makeScratch } from '../../support/scratch.ts'
import { snapshotJson } from '../../support/sign.ts'
import { startTargetServer, status, type TargetServer } from '../../support/target-server.ts'

let scratch: Awaited<ReturnType<typeof makeScratch>>
let inbox: Inbox
let server: TargetServer
let env: Record<string, string>
beforeEach(async () => {
  scratch = await makeScratch()
  const database = join(scratch.path, 'inbox.db')
  inbox = await openSqliteInbox(database, 'server')
  server = await startTargetServer()
  const module = join(scratch.path, 'targets.mjs')
  await mkdir(scratch.path, { recursive: true })
  const target = `{ url: '${server.url}', secrets: [{ variable: 'SHOP_SECRET' }], sign: 'stripe' }`
  await writeFile(module, `export const targets = { shop: { ...${target}, types: ['payout.*'] }, books: ${target} }`)
  env = { DATABASE_URL: `file:${database}`, TARGETS: module, SHOP_SECRET: TARGET_SECRET }
})
afterEach(async () => {
  await inbox.close()
  await scratch.remove()
})

const run = (...args: string[]) => runCli(['targets', ...args], { env })
const parseLines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

async function add(type: string, ...targets: string[]): Promise<string> {
  const entry = newEntry({ type, forwards: targets.map((target) => ({ target, hops: 1, held: null })) })
  await inbox.add({ ...entry, body: Buffer.from(snapshotJson({ id: entry.eventId, type })) })
  return entry.eventId
}
async function die(target: string): Promise<void> {
  const leases = await inbox.forwards.claim({ wanted: [{ target, limit: 10 }], leaseMs: 60_000 })
  const outcome = { state: 'dead', error: 'answered 422', status: 422, answer: 'no' } as const
  await Promise.all(leases.map((lease: ForwardLease) => inbox.forwards.settle(lease, outcome)))
}

it('lists each target with what waits for it, and those that are named no more', async () => {
  await add('payout.paid', 'shop', 'gone')
  await add('payout.paid', 'shop')
  const { code, stdout } = await run('list', '--json')
  expect(code).toBe(0)
  expect(parseLines(stdout)).toMatchObject([
    { name: 'shop', pending: 2, dead: 0, state: { hold: null } },
    { name: 'books', pending: 0, oldestMs: null },
    { name: 'gone', host: null, pending: 1 },
  ])
  const table = (await run('list')).stdout
  expect(table).toMatch(/^shop +2 .* well$/m)
  expect(table).toMatch(/^gone +1 .*TARGETS does not name it/m)
  expect(table).not.toContain(TARGET_SECRET)
})

it('holds and resumes, and records both', async () => {
  expect(await run('hold', 'shop', '--reason', 'moving')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^held: /),
  })
  expect(await inbox.forwards.states()).toMatchObject([{ target: 'shop', state: { hold: { reason: 'moving' } } }])
  expect((await run('list')).stdout).toMatch(/^shop .*held for .* moving$/m)
  expect((await run('hold', 'shop')).code).toBe(1)
  expect((await run('resume', 'shop')).code).toBe(0)
  expect(await run('resume', 'shop')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/neither held nor paused/),
  })
  expect(await inbox.actions({ limit: 10 })).toMatchObject([
    { facts: { verb: 'resume target', filter: 'target=shop' } },
    { facts: { verb: 'hold target', filter: 'target=shop', reason: 'moving' } },
  ])
})

it('resumes what waits for a retry too, of a target that nothing keeps as well', async () => {
  const dueAt = async () => (await inbox.forwards.list({ target: 'shop' }, { limit: 1 }))[0]?.dueAt.getTime()
  await add('payout.paid', 'shop')
  const retry = { state: 'pending', retryInMs: 3_600_000, error: 'answered 500', status: 500, answer: '' } as const
  const fail = async () => {
    const [lease] = await inbox.forwards.claim({ wanted: [{ target: 'shop', limit: 1 }], leaseMs: 60_000 })
    await inbox.forwards.settle(lease ?? expect.unreachable(), retry)
  }
  await fail()
  await run('hold', 'shop')
  expect((await run('resume', 'shop')).stdout).toBe('resumed: what waited for shop is being sent\n')
  expect(await dueAt()).toBeLessThanOrEqual(Date.now())
  await fail()
  const again = await run('resume', 'shop')
  expect(again).toMatchObject({ code: 0, stdout: 'sending 1 event to shop that waited for a retry\n' })
  expect(await dueAt()).toBeLessThanOrEqual(Date.now())
  expect((await run('resume', 'shop')).code).toBe(1)
  expect((await inbox.actions({ limit: 10 })).map(({ facts }) => facts.verb)).toEqual([
    ...['resume target', 'resume target', 'hold target'],
  ])
})

it('knows no other target than those of the module', async () => {
  for (const command of ['hold', 'resume', 'test', 'replay'])
    expect(await run(command, 'shoop')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/no such target; it has: shop, books/),
    })
})

it('tells where there are no targets at all', async () => {
  const without = await runCli(['targets', 'test', 'shop'], { env: { ...env, TARGETS: '' } })
  expect(without).toMatchObject({ code: 1, stderr: 'error: there are no targets: TARGETS names no module\n' })
})

it('sends a signed sample, and prints what came back', async () => {
  expect(await run('test', 'shop')).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^200 in \d+ ms payment_intent\.succeeded evt_/),
  })
  const [got] = server.received
  const signature = String(got?.headers['stripe-signature'])
  expect(Stripe.webhooks.constructEvent(got?.body ?? '', signature, TARGET_SECRET).object).toBe('event')
  server.answer(status(400, {}, `wrong\nsecret ${'x'.repeat(500)}`))
  expect(await run('test', 'shop')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^400 in \d+ ms payment_intent\.succeeded evt_\S+ {2}wrong secret x+\n$/),
  })
  const narrow = (await runCli(['targets', 'test', 'shop'], { env, columns: 80 })).stdout
  expect(narrow).toMatch(/^400 in \d+ ms payment_intent\.succeeded evt_\S+\n {4}wrong secret x+…\n$/)
  expect(Math.max(...narrow.split('\n').map((line) => line.length))).toBe(80)
  await server.goAway()
  expect(await run('test', 'shop')).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/^failed in \d+ ms payment_intent\.succeeded evt_\S+ {2}no answer: ECONNREFUSED\n$/),
  })
  expect(await run('test', 'shop', '--type', 'payuot.paid')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no such type/),
  })
})

it('replays what died, and counts it first when asked', async () => {
  const eventIds = [await add('payout.paid', 'shop'), await add('payout.paid', 'shop')]
  await die('shop')
  await add('payout.paid', 'shop')
  expect((await run('replay', 'shop', '--dry-run')).stdout).toBe('would send 2 events to shop anew\n')
  expect((await inbox.forwards.counts()).find(({ state }) => state === 'dead')?.forwards).toBe(2)
  expect((await run('replay', 'shop', '--state', 'dead', '--since', '1h')).stdout).toBe(
    'sending 2 events to shop anew\n',
  )
  expect(await inbox.forwards.list({ target: 'shop', states: ['pending'] }, { limit: 10 })).toHaveLength(3)
  expect((await inbox.get(eventIds[0] ?? ''))?.forwards).toMatchObject([{ state: 'pending', replays: 1, attempts: 0 }])
  expect((await run('replay', 'shop')).code).toBe(1)
  expect((await run('replay', 'shop', '--state', 'lost')).stderr).toContain('Expected some of pending')
})

it('drops what died, for good unless it is replayed, and counts it first when asked', async () => {
  const eventId = await add('payout.paid', 'shop')
  await die('shop')
  await add('payout.paid', 'shop')
  await add('payout.paid', 'gone')
  expect((await run('drop', 'shop', '--dry-run')).stdout).toBe('would drop 1 event for shop\n')
  expect((await inbox.get(eventId))?.forwards).toMatchObject([{ state: 'dead' }])
  expect(await run('drop', 'shop')).toMatchObject({ code: 0, stdout: 'dropped 1 event for shop\n' })
  expect((await inbox.get(eventId))?.forwards).toMatchObject([
    { state: 'dropped', reason: expect.stringMatching(/^dropped by \S+@\S+$/) },
  ])
  expect(await run('drop', 'shop')).toMatchObject({ code: 1, stdout: 'dropped 0 events for shop\n' })
  expect((await run('drop', 'shop', '--state', 'delivered')).stderr).toContain('Expected some of pending, dead, held')
  expect((await run('drop', 'shoop')).stderr).toContain('no such target; it has: shop, books')
  expect((await run('drop', 'gone', '--state', 'pending')).stdout).toBe('dropped 1 event for gone\n')
  expect((await inbox.actions({ limit: 1 }))[0]).toMatchObject({
    facts: { from: 'command', verb: 'drop target', filter: 'target=gone&state=pending', changed: 1 },
  })
  expect((await run('replay', 'shop', '--state', 'dropped')).stdout).toBe('sending 1 event to shop anew\n')
})

it('backfills a target that was added later with what it takes', async () => {
  const [paid, charged] = [await add('payout.paid', 'books'), await add('charge.succeeded')]
  expect((await run('backfill', 'shop', '--since', '1d', '--dry-run')).stdout).toBe('would send 1 event to shop\n')
  expect((await inbox.get(paid))?.forwards).toHaveLength(1)
  expect((await run('backfill', 'shop', '--since', '1d')).stdout).toBe('sending 1 event to shop\n')
  expect((await inbox.get(paid))?.forwards).toMatchObject([{ target: 'books' }, { target: 'shop', state: 'pending' }])
  expect((await inbox.get(charged))?.forwards).toEqual([])
  expect((await run('backfill', 'shop', '--since', '1d')).stdout).toBe('sending 0 events to shop\n')
})

it('tells what a backfill holds and leaves out', async () => {
  const eventId = await add('payout.paid')
  const [lease] = await inbox.claim({ limit: 1, leaseMs: 60_000 })
  if (lease === undefined) throw new Error('nothing was due')
  await inbox.settle(lease, { state: 'handled' })
  expect(await inbox.prune({ limit: 10, bodiesAfterMs: -60_000, entriesAfterMs: 60_000 })).toMatchObject({ bodies: 1 })
  await add('payout.paid')
  const throwing = `{ url: '${server.url}', secrets: [{ variable: 'SHOP_SECRET' }], sign: 'stripe', where() { throw new Error('no') } }`
  await writeFile(String(env.TARGETS), `export const targets = { odd: ${throwing} }`)
  expect(await run('backfill', 'odd', '--since', '1d')).toMatchObject({
    stdout: 'sending 1 event to odd\n',
    stderr:
      "note: 1 of them held, since the target's `where` threw\nnote: 1 event left out, whose bodies retention has taken\n",
  })
  expect((await inbox.get(eventId))?.forwards).toEqual([])
})

it('asks on a terminal before it sends or drops more than 100, unless told not to', async () => {
  const held = { target: 'shop', hops: 1, held: 'its `where` threw' }
  const entries = Array.from({ length: 101 }, () => newEntry({ type: 'payout.paid', forwards: [held] }))
  for (const entry of entries) await inbox.add({ ...entry, body: Buffer.from(snapshotJson({ id: entry.eventId })) })
  const countOf = async (target: string, state: 'held' | 'pending') =>
    (await inbox.forwards.list({ target, states: [state] }, { limit: 200 })).length
  const type = (typed: string, ...args: string[]) => runCli(['targets', ...args], { env, typed })
  const commands = [
    [['replay', 'shop'], 'Send 101 events to shop anew?'],
    [['drop', 'shop'], 'Never send 101 events to shop?'],
    [['backfill', 'books', '--since', '1d'], 'Send 101 events to books?'],
  ] as const
  for (const [args, question] of commands) {
    const refused = await type('n\n', ...args)
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain(`${question} [y/N] `)
    expect(refused.stderr).toContain('error: nothing was changed')
  }
  expect([await countOf('shop', 'held'), await countOf('books', 'pending')]).toEqual([101, 0])
  expect(await inbox.actions({ limit: 10 })).toEqual([])
  expect((await type('y\n', 'backfill', 'books', '--since', '1d')).stdout).toBe('sending 101 events to books\n')
  expect(await countOf('books', 'pending')).toBe(101)
  const unasked = await type('n\n', 'replay', 'shop', '--yes')
  expect(unasked).toMatchObject({ code: 0, stdout: 'sending 101 events to shop anew\n' })
  expect(unasked.stderr).not.toContain('[y/N]')
  await inbox.forwards.drop('shop', [entries[0]?.eventId ?? ''], ['pending'], 'no use')
  expect(await type('n\n', 'drop', 'shop', '--state', 'pending')).toMatchObject({
    code: 0,
    stdout: 'dropped 100 events for shop\n',
  })
})

it('tells of each entry what became of its forwards', async () => {
  const eventId = await add('payout.paid', 'shop')
  await die('shop')
  const shown = await runCli(['events', 'show', eventId], { env })
  expect(shown.stdout).toMatch(/^shop +dead +1 +422 +answered 422$/m)
})

it('sends one stored event to a laptop, signed with its secret', async () => {
  const eventId = await add('payout.paid')
  const secret = 'whsec_of_a_laptop_1'
  const send = (id: string, given: string) =>
    runCli(['events', 'send', id, '--to', server.url.href, '--secret', given], { env })
  expect(await send(eventId, secret)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^200 in /) })
  const [got] = server.received
  const signature = String(got?.headers['stripe-signature'])
  expect(Stripe.webhooks.constructEvent(got?.body ?? '', signature, secret).id).toBe(eventId)
  expect((await inbox.get(eventId))?.forwards).toEqual([])
  expect((await send('evt_none', secret)).code).toBe(1)
  expect((await send(eventId, 'sk_live_oops')).stderr).not.toContain('oops')
  server.answer(status(500))
  expect((await send(eventId, secret)).code).toBe(1)
})

it('shows all that is known of a target', async () => {
  const eventId = await add('payout.paid', 'shop')
  await add('payout.paid', 'shop')
  await die('shop')
  const held = newEntry({ forwards: [{ target: 'shop', hops: 1, held: 'its `where` threw' }] })
  await inbox.add(held)
  await add('payout.paid', 'shop')
  const { code, stdout } = await run('show', 'shop')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^host +127\.0\.0\.1:\d+$/m)
  expect(stdout).toMatch(/^takes +payout\.\*$/m)
  expect(stdout).toMatch(/^state +2 dead, 1 held$/m)
  expect(stdout).toMatch(/^pending +1, the oldest for /m)
  expect(stdout).toMatch(/^FORWARDS .*\n2 +dead +\S+Z +answered 422\n1 +held +\S+Z +its `where` threw$/m)
  expect(stdout).toMatch(new RegExp(`^\\S+Z +${eventId} +1 +dead +422 +\\S+ m?s +answered 422: no$`, 'm'))
  expect(stdout).not.toContain(TARGET_SECRET)
  const [json] = parseLines((await run('show', 'shop', '--json')).stdout)
  expect(json).toMatchObject({
    ...{ name: 'shop', takes: 'payout.*', pending: 1, dead: 2, held: 1, state: { hold: null } },
    causes: [{ reason: 'answered 422', forwards: 2 }, { state: 'held' }],
    attempts: [
      { status: 422, answer: 'no', durationMs: expect.any(Number) },
      { outcome: 'dead', type: 'payout.paid' },
    ],
  })
})

it('shows whether a target is held, paused, or its circuit is open', async () => {
  const stateOf = async () => (await run('show', 'shop')).stdout
  const now = Date.now()
  const open = { since: now - 180_000, probeAt: now + 60_000, probes: 1 }
  const failing = { hold: null, failures: 12, failingSince: now - 180_000, open, pausedUntil: null }
  await inbox.forwards.writeState('shop', failing, 0)
  expect(await stateOf()).toMatch(
    /^state +circuit open for 3 min, 12 failures in a row\nopen since +\S+Z\nnext attempt +\S+Z$/m,
  )
  await inbox.forwards.writeState('shop', { ...failing, pausedUntil: now + 7_200_000 }, 1)
  expect(await stateOf()).toMatch(/^state +paused, as it asked, for another .*\npaused until +\S+Z$/m)
  await run('hold', 'shop', '--reason', 'moving')
  expect(await stateOf()).toMatch(/^state +held for .* by .+: moving\nheld since +\S+Z$/m)
})

it('shows what the store knows of a target that is named no more, without any module too', async () => {
  await add('payout.paid', 'gone')
  await die('gone')
  for (const TARGETS of [env.TARGETS ?? '', '']) {
    const { code, stdout } = await runCli(['targets', 'show', 'gone'], { env: { ...env, TARGETS } })
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(/^state +TARGETS does not name it/m) })
    expect(stdout).toMatch(/^1 +dead .* answered 422$/m)
  }
  expect(await run('show', 'shoop')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/no such target; it has: shop, books/),
  })
})
