import { showHidden } from '../operations/show-hidden.ts'

/** Text that may stand in a page as it is: only the tag `html` makes it. */
class Markup {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}
export type Html = Markup

/** Null, undefined and false are nothing; a list is its members. */
export type Value = Html | string | number | null | undefined | false | readonly Value[]

/** Page text of a template, whose values are text of strangers: each is escaped, but for what this tag made. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Markup(String.raw({ raw: parts }, ...values.map(render)))
}

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Markup) return value.toString()
  if (Array.isArray(value)) return value.map(render).join('')
  return escapeMarkup(showHidden(String(value)))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escapeMarkup = (text: string) => text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
