import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openPostgresInbox } from '../../src/inbox/postgres/inbox.ts'
import { eventually } from '../support/eventually.ts'
import { openPostgresProxy } from '../support/postgres-proxy.ts'
import { planPostgresSchema } from '../support/postgres-schema.ts'
import { makeScratch } from '../support/scratch.ts'
import { sign, snapshotJson } from '../support/sign.ts'
import { type ServerProcess, spawnServer } from '../support/spawn-server.ts'

const ANSWERS = fileURLToPath(new URL('../support/scripted-answers.ts', import.meta.url))

async function makeServers() {
  const undo = new AsyncDisposableStack()
  const schema = undo.use(planPostgresSchema())
  const proxy = undo.use(await openPostgresProxy(schema.url))
  const scratch = undo.adopt(await makeScratch(), (made) => made.remove())
  const record = join(scratch.path, 'record.txt')
  return {
    proxy,
    runsOf: (id: string) =>
      (existsSync(record) ? readFileSync(record, 'utf8').split('\n') : []).filter((line) => line === id),
    async start(signedBy: string): Promise<ServerProcess> {
      const env = { ANSWERS, RECORD_FILE: record, DATABASE_URL: proxy.url, ROLE: 'receive', SIGNED_BY: signedBy }
      const server = await spawnServer({ folder: scratch.path, env })
      undo.defer(async () => {
        server.kill('SIGKILL')
        await server.exited
      })
      return server
    },
    async find(id: string) {
      const inbox = await openPostgresInbox(schema.url, 'command')
      return inbox.get(id).finally(() => inbox.close())
    },
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  }
}

let lastId = 0
function createRequest(metadata: Record<string, string>) {
  lastId += 1
  const id = `evt_request_${lastId}`
  const object = { id: `iauth_${lastId}`, object: 'issuing.authorization', metadata }
  return { id, body: snapshotJson({ id, type: 'issuing_authorization.request', data: { object } }) }
}

async function send({ url }: ServerProcess, body: string): Promise<unknown> {
  const response = await fetch(`${url}/webhook`, { method: 'POST', body, headers: { 'stripe-signature': sign(body) } })
  return { status: response.status, answer: await response.json() }
}

it('two processes that are asked the same at once reply the same, which is kept', async () => {
  await using servers = await makeServers()
  const [one, other] = [await servers.start('one'), await servers.start('other')]
  const { id, body } = createRequest({ ask: 'approve after a while', after: '50' })
  const replies = await Promise.all([send(one, body), send(other, body)])
  const kept = (await servers.find(id))?.decision
  expect(kept).toMatchObject({ how: 'answered', answer: { approved: true } })
  expect(replies).toEqual([one, other].map(() => ({ status: 200, answer: kept?.answer })))
  expect(await send(other, body)).toEqual(replies[0])
})

it('replies while the database is away, and stores it once that is back', async () => {
  await using servers = await makeServers()
  const server = await servers.start('the function')
  servers.proxy.setRule(() => 'cut')
  servers.proxy.cut()
  const { id, body } = createRequest({ ask: 'approve' })
  const answer = { approved: true, metadata: { by: 'the function' } }
  expect(await send(server, body)).toEqual({ status: 200, answer })
  await eventually('the log to tell', () =>
    server.lines().some(({ msg }) => msg === 'a reply goes out before its request is stored'),
  )
  servers.proxy.setRule(undefined)
  await eventually('the reply to be stored', async () => (await servers.find(id))?.decision?.answer !== undefined)
  expect(await servers.find(id)).toMatchObject({ entry: { state: 'handled' }, decision: { answer, how: 'answered' } })
  expect(servers.runsOf(id)).toHaveLength(1)
})
