import { entryStates } from '../event.ts'
import type { Change } from './change-entries.ts'

/** Makes entries due now, to be handled anew. A filter means handled ones only when it names them: they would run twice. */
export const replay: Change = {
  verb: 'replay',
  doing: 'replaying',
  done: 'replayed',
  possibleIn: entryStates.filter((state) => state !== 'running'),
  isRun: true,
  meant: ['dead', 'unhandled', 'parked', 'pending'],
  apply: (inbox, eventIds, states) => inbox.replay(eventIds, states),
}

/** Settles what nobody dealt with as handled: retention takes it in its turn, and it can be replayed until then. */
export const dropBy = (operator: string): Change => ({
  verb: 'drop',
  doing: 'dropping',
  done: 'dropped',
  possibleIn: ['dead', 'parked', 'unhandled'],
  isRun: false,
  meant: ['dead', 'parked', 'unhandled'],
  apply: (inbox, eventIds) => inbox.drop(eventIds, `dropped by ${operator}`),
})

/** Sets entries aside that wait or run. */
export const parkBy = (operator: string): Change => ({
  verb: 'park',
  doing: 'parking',
  done: 'parked',
  possibleIn: ['pending', 'running'],
  isRun: false,
  meant: ['pending', 'running'],
  apply: (inbox, eventIds) => inbox.park(eventIds, `parked by ${operator}`),
})
