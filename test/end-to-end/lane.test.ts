import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { makeScratch } from '../support/scratch.ts'
import { snapshotJson } from '../support/sign.ts'
import { spawnServer } from '../support/spawn-server.ts'

it('a lane of the module of HANDLERS holds events of several objects, and a fault of it loses none', async () => {
  const scratch = await makeScratch()
  onTestFinished(scratch.remove)
  const module = join(scratch.path, 'handlers.js')
  await writeFile(
    module,
    `let running = 0
     export const handlers = {
       async 'invoice.paid'(_event, ctx) {
         running += 1
         ctx.log.info({ running }, 'began')
         await new Promise((resolve) => setImmediate(resolve))
         running -= 1
       },
       'payout.paid'() {},
     }
     export const lane = (event) => {
       if (event.type !== 'invoice.paid') throw new Error('no customer')
       return event.data.object.customer
     }`,
  )
  const server = await spawnServer({ folder: scratch.path, env: { HANDLERS: module } })
  onTestFinished(async () => {
    server.kill('SIGKILL')
    await server.exited
  })
  const customer = 'cus_1'
  const invoices = Array.from({ length: 10 }, (_, index) =>
    snapshotJson({ type: 'invoice.paid', data: { object: { id: `in_${index}`, object: 'invoice', customer } } }),
  )
  const payouts = [1, 2].map((index) =>
    snapshotJson({ type: 'payout.paid', data: { object: { id: `po_${index}`, object: 'payout' } } }),
  )
  const bodies = [...invoices, ...payouts]
  const answers = await Promise.all(bodies.map((body) => deliver(`${server.url}/webhook`, body)))
  expect(new Set(answers)).toEqual(new Set([200]))
  const logged = (msg: string) => server.lines().filter((line) => line.msg === msg)
  await eventually('all to be handled', () => logged('event handled').length === bodies.length)
  expect(logged('began').map(({ running }) => running)).toEqual(invoices.map(() => 1))
  expect(server.lines().filter(({ level }) => level === 40)).toMatchObject([
    { type: 'payout.paid', reason: 'it threw Error: no customer', msg: expect.stringContaining('default one') },
  ])
  const inbox = await openSqliteInbox(join(scratch.path, 'data', 'inbox.db'), 'command')
  const found = await Promise.all(bodies.map((body) => inbox.get(JSON.parse(body).id)))
  await inbox.close()
  expect(found.map((detail) => detail?.entry.lane)).toEqual([...invoices.map(() => '/cus_1'), '/po_1', '/po_2'])
})
