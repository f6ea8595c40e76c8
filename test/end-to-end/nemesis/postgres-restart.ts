import { setTimeout as delay } from 'node:timers/promises'
import type { Fault } from './fault.ts'

/** Crashes Postgres, and starts it again at once or a while later. */
export const postgresRestart: Fault = {
  name: 'postgres-restart',
  summary: 'Postgres crashes and is started again',
  async postgres({ subject: { places, postgres }, random, lasting, cutOff }) {
    const awayMs = random() < 0.5 ? 0 : lasting()
    await cutOff(places, async () => {
      await postgres.stop()
      await delay(awayMs)
      await postgres.start()
    })
    return `crashed Postgres, away for ${awayMs} ms`
  },
}
