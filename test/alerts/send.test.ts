import { afterEach, beforeEach, expect, it } from 'vitest'
import { createSend } from '../../src/alerts/send.ts'
import { type AlertReceiver, startAlertReceiver } from '../support/alert-receiver.ts'
import { eventually } from '../support/eventually.ts'

let receiver: AlertReceiver
beforeEach(async () => {
  receiver = await startAlertReceiver()
})
afterEach(() => receiver.close())

const TOKEN = 'T0/B0/secrettoken'
const urlOf = () => new URL(`${receiver.url}/services/${TOKEN}?key=secrettoken`)

it('posts JSON, and tells the status that came back', async () => {
  expect(await createSend(urlOf())({ text: 'hé' })).toEqual({ isSent: true, answer: 'status 200' })
  expect(receiver.alerts).toEqual([
    { path: `/services/${TOKEN}?key=secrettoken`, contentType: 'application/json', json: { text: 'hé' } },
  ])
})

it.each([500, 429, 404])('tells of the status %i that it was not taken', async (status) => {
  receiver.behaviour = status
  expect(await createSend(urlOf())({})).toEqual({ isSent: false, answer: `status ${status}` })
})

it.each([301, 307])('does not follow a redirect with status %i', async (status) => {
  receiver.behaviour = status
  expect(await createSend(urlOf())({})).toEqual({ isSent: false, answer: `status ${status}` })
  expect(receiver.alerts).toHaveLength(1)
})

it('waits no longer than it may for an answer that does not come', async () => {
  receiver.behaviour = 'hang'
  expect(await createSend(urlOf(), 50)({})).toEqual({ isSent: false, answer: 'no answer within 50 ms' })
})

it('is cut off by the signal', async () => {
  receiver.behaviour = 'hang'
  const stopping = new AbortController()
  const sent = createSend(urlOf(), 600_000)({}, stopping.signal)
  await eventually('the message', () => receiver.alerts.length === 1)
  stopping.abort()
  expect(await sent).toEqual({ isSent: false, answer: 'cut off by the stop' })
})

it('tells why nothing was reached, and nothing of the URL', async () => {
  const url = urlOf()
  await receiver.close()
  expect(await createSend(url)({})).toEqual({ isSent: false, answer: 'no answer: ECONNREFUSED' })
  const nowhere = new URL(`http://secrettoken.invalid/${TOKEN}`)
  const { answer } = await createSend(nowhere)({})
  expect(answer).toMatch(/^no answer: E\w+$/)
  // One that fetch itself refuses.
  url.username = 'ann'
  expect(await createSend(url)({})).toEqual({ isSent: false, answer: 'no answer: no connection' })
  receiver = await startAlertReceiver()
})
