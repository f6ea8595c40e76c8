// handlers/my-handlers-test.ts
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runHandler, sampleEvent } from '../../src/testing.ts'
import { handlers } from './first-handlers.ts'

test('says why a payout failed', async () => {
  const event = sampleEvent('payout.failed', { data: { object: { failure_code: 'no_account' } } })
  const { outcome, lines } = await runHandler(handlers, event)
  assert.equal(outcome.state, 'handled')
  assert.equal(lines[0]?.failureCode, 'no_account')
})
