import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import {
  changedBytes,
  rightDelivery,
  signedDelivery,
  signedTexts,
  toBytes,
  wrongBody,
} from '../support/hostile-deliveries.ts'
import { pipelinedAny, wrongChunks } from '../support/hostile-framing.ts'
import { forged, oddHeaders, oddRequestLine } from '../support/hostile-heads.ts'
import { oddJson } from '../support/hostile-json.ts'
import { exchangeRaw } from '../support/raw-http.ts'
import { type ScriptedServer, startScripted } from '../support/scripted-server.ts'

let server: ScriptedServer | undefined
afterEach(async () => {
  await server?.remove()
  server = undefined
})

/** The id in a text, if it is an event's. */
function idOf(text: string): unknown {
  try {
    return JSON.parse(text)?.id
  } catch {
    return undefined
  }
}

describe('the server as a process', () => {
  it('outlives hostile input, answers none of it 5xx, and handles only what was rightly signed', async () => {
    server = await startScripted({ MAX_ATTEMPTS: '1' })
    const { port } = server
    const hostile = fc.oneof(
      ...[changedBytes, oddHeaders, oddRequestLine, wrongChunks],
      ...[wrongBody, forged, rightDelivery].map((deliveries) => deliveries.map(toBytes)),
      oddJson.map((text) => toBytes(signedDelivery(text))),
      pipelinedAny.map((requests) => Buffer.concat(requests)),
    )
    const requests = fc.sample(hostile, 600)
    const statuses = new Set<number>()
    while (requests.length > 0) {
      const answers = await Promise.all(requests.splice(-20).map((bytes) => exchangeRaw(port, bytes)))
      for (const { status } of answers.flat()) statuses.add(status)
    }
    expect([...statuses].filter((status) => status >= 500)).toEqual([])
    expect(statuses).toContain(200)
    expect(statuses).toContain(400)
    await server.withInbox(async (inbox) => {
      await eventually('all to settle', async () => {
        const { pending, running } = await inbox.counts()
        return pending + running === 0
      })
      const stored = await inbox.list({}, { limit: 1_000 })
      expect(stored.length).toBeGreaterThan(0)
      for (const { eventId } of stored) {
        const body = (await inbox.get(eventId))?.body
        expect(signedTexts).toContain(Buffer.from(body ?? []).toString('utf8'))
      }
    })
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
    const signedIds = new Set([...signedTexts].map(idOf).map((id) => (typeof id === 'string' ? id.toWellFormed() : id)))
    const attempted = server.lines().filter(({ attempt }) => attempt !== undefined)
    expect(attempted.length).toBeGreaterThan(0)
    for (const { eventId } of attempted) expect(signedIds).toContain(eventId)
    expect(server.text()).not.toContain('request failed unexpectedly')
  })
})
