import { type Command, InvalidArgumentError, Option } from 'commander'
import { type FilterWord, filterWordNames, filterWords, readWord } from '../../operations/filter.ts'

/** Adds the options that `list`, `replay` and `drop` choose entries by: a Choice is what they give. */
export function addFilterOptions(command: Command): Command {
  for (const word of filterWordNames) {
    const { value, help } = filterWords[word]
    command.addOption(new Option(`--${word} <${value}>`, help).argParser(parserOf(word)))
  }
  return command
}

/** States add up when given again. */
const parserOf = (word: FilterWord) => (value: string, previous?: string) => {
  const text = word === 'state' && previous !== undefined ? `${previous},${value}` : value
  if (readWord(word, text) === undefined) throw new InvalidArgumentError(filterWords[word].expected)
  return text
}

/** For people: all of these options. */
export const filterOptionNames: string = new Intl.ListFormat('en', { type: 'disjunction' }).format(
  filterWordNames.map((word) => `--${word}`),
)
