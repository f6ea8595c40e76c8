import { createInterface } from 'node:readline/promises'

type Terminal = NodeJS.ReadableStream & { readonly isTTY?: boolean }

/** Where a question can be asked: not on standard output, which may go to a file. */
export interface Asking {
  readonly input: Terminal
  readonly output: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

/** Asks for a yes; anything else is a no. Undefined when there is no terminal to ask on. */
export async function confirm(question: string, { input, output }: Asking): Promise<boolean | undefined> {
  if (!input.isTTY || !output.isTTY) return undefined
  const asking = createInterface({ input, output })
  // The end of the input leaves the question unanswered forever.
  const ended = new Promise<string>((resolve) => asking.once('close', () => resolve('')))
  const answer = await Promise.race([asking.question(`${question} [y/N] `), ended])
  asking.close()
  return /^y(es)?$/i.test(answer.trim())
}
