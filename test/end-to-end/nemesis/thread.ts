import { eventually } from '../../support/eventually.ts'
import type { Fault } from './fault.ts'

/** Ends the thread that writes the inbox. */
export const thread: Fault = {
  name: 'thread',
  summary: 'the thread that writes the inbox ends',
  async sqlite({ subject: { places }, random, cutOff }) {
    const [place, how] = [random.pick(places), random.pick(['throw', 'exit'] as const)]
    await cutOff(places, async () => {
      place.breakWriter(how)
      await eventually('the thread to break', () => !place.isWriterBroken())
    })
    return `ended the writer of ${place.server()?.pid} by ${how}`
  },
}
