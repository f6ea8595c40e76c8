import { createInterface } from 'node:readline/promises'

/** More than this many are changed only after a yes, where there is someone to ask. */
export const ASK_ABOVE = 100

type Terminal = NodeJS.ReadableStream & { readonly isTTY?: boolean }

/** Where a question can be asked: not on standard output, which may go to a file. */
export interface Asking {
  readonly input: Terminal
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

const ofProcess = (): Asking => ({ input: process.stdin, output: process.stderr })

/** Whether there is a terminal to ask on. */
export function canAsk({ input, output }: Asking = ofProcess()): boolean {
  return input.isTTY === true && output.isTTY === true
}

/** Asks for a yes; anything else is a no. Undefined when there is no terminal to ask on. */
export async function confirm(question: string, asking: Asking = ofProcess()): Promise<boolean | undefined> {
  if (!canAsk(asking)) return undefined
  const { input, output } = asking
  const lines = createInterface({ input, output })
  // The end of the input leaves the question unanswered forever.
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  const answer = await Promise.race([lines.question(`${question} [y/N] `), ended])
  lines.close()
  return /^y(es)?$/i.test(answer.trim())
}
