import { expect, it } from 'vitest'
import type { Hold } from '../../src/inbox/inbox.ts'
import { createLog } from '../../src/log.ts'
import { startHoldReminder } from '../../src/worker/hold-reminder.ts'
import { eventually } from '../support/eventually.ts'

it('warns once a hold begins, again while it lasts, and tells its end; a store that is down stops nothing', async () => {
  const messages: string[] = []
  const log = await createLog('info', { write: (line) => void messages.push(line) })
  let hold: Hold | null = null
  let isDown = false
  let looks = 0
  const inbox = {
    async held() {
      looks += 1
      if (isDown) throw new Error('down')
      return hold
    },
  }
  const warnings = () => messages.filter((line) => line.includes('handling is held'))
  const reminder = startHoldReminder({ inbox, log }, { lookMs: 2, remindMs: 20 })
  await eventually('a look', () => looks > 2)
  expect(messages).toEqual([])
  hold = { who: 'ann', reason: 'a bug', forMs: 180_000 }
  await eventually('three warnings', () => warnings().length >= 3)
  expect(JSON.parse(warnings()[0] ?? '')).toMatchObject({ who: 'ann', reason: 'a bug', minutes: 3 })
  expect(looks).toBeGreaterThan(warnings().length)
  isDown = true
  const before = looks
  await eventually('a look at a store that is down', () => looks > before + 1)
  isDown = false
  hold = null
  await eventually('its end to be told', () => messages.some((line) => line.includes('handling goes on')))
  await reminder.stop()
})
