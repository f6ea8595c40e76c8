import { ReceiverError } from '../errors.ts'
import { isKnownType } from '../event/known-types.ts'
import type { Answerer, AnswerMap } from '../event.ts'
import { describeError } from '../log.ts'
import { importUserModule, isPlainObject, kindOf } from '../user-module.ts'
import { checkReply, isKnownRequest, limitOf } from './replies.ts'

/** How requests are answered, by type; checked. */
export type Answerers = ReadonlyMap<string, Answerer<unknown, unknown>>

/** What to start with, and what to warn about. */
export interface LoadedAnswers {
  readonly answerers: Answerers
  /** Types that are not known here: newer requests of Stripe's, or misspelt and then never answered. */
  readonly unknownTypes: readonly string[]
}

const MIN_WITHIN_MS = 10
/** Kept of the time for which Stripe waits, for the way there and back. */
const WAY_MS = 100

/**
 * The `answers` of a user's own module; none without one.
 * @param modulePath as for handlers, and perhaps the same; undefined for none
 * @param handledTypes those that have a handler of the user's: a request has none
 * @throws ReceiverError `answers_invalid` with all that is wrong with it
 */
export async function loadAnswers(
  modulePath: string | undefined,
  handledTypes: readonly string[] = [],
): Promise<LoadedAnswers> {
  if (modulePath === undefined) return { answerers: new Map(), unknownTypes: [] }
  const { path, exports } = await importUserModule(modulePath, 'ANSWERS', 'answers_invalid')
  const { answers } = exports
  if (!isPlainObject(answers)) {
    const found = answers === undefined ? 'does not export it' : `exports ${kindOf(answers)}`
    throw invalid(`Expected \`export const answers = { … } satisfies AnswerMap\`, but ${path} ${found}.`)
  }
  const faults = Object.entries(answers).flatMap(([type, answerer]) => findFaults(type, answerer, handledTypes))
  if (faults.length > 0)
    throw invalid(
      `\`answers\` of ${path} has ${faults.length} fault(s):\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    )
  // Holds as far as it can be seen, by the look at each of them; what the functions take, `satisfies AnswerMap` checks.
  const answerers = new Map(
    Object.entries(answers as AnswerMap)
      .filter(isThere)
      .map(keepOtherwise),
  )
  return { answerers, unknownTypes: [...answerers.keys()].filter((type) => !isKnownRequest(type)) }
}

/** As it was checked, whatever the module does to its own later. */
function keepOtherwise([type, answerer]: [string, Answerer<unknown, unknown>]) {
  return [type, { ...answerer, otherwise: checkReply(type, answerer.otherwise) }] as const
}

function isThere(
  entry: [string, Answerer<unknown, unknown> | undefined],
): entry is [string, Answerer<unknown, unknown>] {
  return entry[1] !== undefined
}

function findFaults(type: string, answerer: unknown, handledTypes: readonly string[]): string[] {
  const faults: string[] = []
  if (isKnownType(type) && !isKnownRequest(type)) faults.push('Stripe wants no answer to it: make it a handler')
  if (handledTypes.includes(type)) faults.push('it has a handler too, which would never run: remove that')
  if (!isPlainObject(answerer)) {
    faults.push(`expected { withinMs, otherwise, answer }, and it is ${kindOf(answerer)}`)
  } else {
    const { withinMs, otherwise, answer } = answerer
    const longestMs = limitOf(type) - WAY_MS
    if (!(Number.isInteger(withinMs) && Number(withinMs) >= MIN_WITHIN_MS && Number(withinMs) <= longestMs))
      faults.push(
        `withinMs: expected a whole number from ${MIN_WITHIN_MS} to ${longestMs}${isKnownRequest(type) ? ` (Stripe waits ${limitOf(type)})` : ''}`,
      )
    if (typeof answer !== 'function') faults.push(`answer: expected a function, and it is ${kindOf(answer)}`)
    faults.push(...findReplyFault(type, otherwise))
  }
  return faults.map((fault) => `${JSON.stringify(type)}: ${fault}`)
}

function findReplyFault(type: string, otherwise: unknown): string[] {
  try {
    checkReply(type, otherwise)
    return []
  } catch (error) {
    return [`otherwise: expected what Stripe takes for an answer: ${describeError(error).message}`]
  }
}

function invalid(message: string): ReceiverError {
  return new ReceiverError('answers_invalid', message)
}
