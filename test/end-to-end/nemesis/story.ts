import type { Ledger } from './ledger.ts'
import type { Subject } from './subject.ts'

const STRIKES_TOLD = 5
const LINES_TOLD = 50

/** How it came to the first problem: what is known of its events, what the servers logged of them, and what was done at the end. */
export function tellStory(subject: Subject, ledger: Ledger, told: readonly string[]): string[] {
  const [problem] = ledger.problems
  if (problem === undefined) return []
  const names = problem.match(/evt_\w+|(?<=process )\d+/g) ?? []
  const logged = subject.places
    .flatMap((place) => place.text().split('\n'))
    .filter((line) => names.some((name) => line.includes(`"${name}"`) || line.includes(`:${name},`)))
  const lately = names.some((name) => name.startsWith('evt_')) ? logged : logged.slice(-LINES_TOLD)
  const timed = [...ledger.tell(problem), ...told.slice(-2 * STRIKES_TOLD)]
  const timeOf = (line: string) => line.slice(0, line.indexOf(' '))
  return [problem, ...timed.toSorted((a, b) => timeOf(a).localeCompare(timeOf(b))), ...lately]
}
