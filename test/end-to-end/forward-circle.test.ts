import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/config.ts'
import type { ForwardDetail } from '../../src/inbox/forwards.ts'
import { createService, type Service } from '../../src/service.ts'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { findLastingPort } from '../support/lasting-port.ts'
import { loadedTarget, TARGET_SECRET } from '../support/loaded-target.ts'
import { captureLog } from '../support/log-lines.ts'
import { makeScratch } from '../support/scratch.ts'
import { snapshotJson } from '../support/sign.ts'

/** So many whole servers with an inbox each, of which each forwards all that it gets to the next, and the last one to the first. */
async function startCircle(size: number): Promise<Service[]> {
  const { log } = await captureLog('silent')
  const ports = await Promise.all(Array.from({ length: size }, findLastingPort))
  return Promise.all(
    ports.map(async (port, index) => {
      const scratch = await makeScratch()
      const config = parseConfig({
        ...{ HOST: '127.0.0.1', PORT: String(port), ADMIN_PORT: '0', STRIPE_WEBHOOK_SECRET: TARGET_SECRET },
        DATABASE_URL: `file:${join(scratch.path, 'inbox.db')}`,
      })
      const next = new URL(`http://127.0.0.1:${ports[(index + 1) % size]}/webhook`)
      const service = await createService(config, { log, targets: [loadedTarget({ url: next })] })
      onTestFinished(async () => {
        await service.stop()
        await scratch.remove()
      })
      return service
    }),
  )
}

/** Delivers one event to the first, and gives how each forwarded it once all have settled that. */
async function sendRound(circle: readonly Service[]): Promise<(ForwardDetail | undefined)[]> {
  const body = snapshotJson()
  expect(await deliver(`${circle[0]?.url}/webhook`, body, { secret: TARGET_SECRET })).toBe(200)
  const look = async ({ inbox }: Service) => (await inbox.get(JSON.parse(body).id))?.forwards[0]
  return eventually('all to be through with it', async () => {
    const forwards = await Promise.all(circle.map(look))
    return forwards.every((forward) => forward?.settledAt) && forwards
  })
}

it('holds, with the reason, what came through three servers', async () => {
  const circle = await startCircle(5)
  const body = snapshotJson()
  const eventId = JSON.parse(body).id
  expect(await deliver(`${circle[0]?.url}/webhook`, body, { secret: TARGET_SECRET })).toBe(200)
  const fourth = await eventually(
    'the fourth to get it',
    async () => (await circle[3]?.inbox.get(eventId))?.forwards[0],
  )
  expect(fourth).toMatchObject({
    ...{ state: 'held', attempts: 0, history: [] },
    reason: 'it came through 3 receivers: do they forward in a circle?',
  })
  expect(await circle[4]?.inbox.get(eventId)).toBeUndefined()
})

it.each([1, 3])('sends an event once round a circle of %s, where it is a duplicate', async (size) => {
  const forwards = await sendRound(await startCircle(size))
  for (const forward of forwards)
    expect(forward).toMatchObject({ state: 'delivered', history: [{ outcome: 'delivered', status: 200 }] })
})
