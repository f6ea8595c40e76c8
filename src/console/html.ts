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

/** All that has no form of its own, or turns the direction of what follows, but for line ends and tabs. */
const hidden = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** Text with such characters by their number, as `\u202e`; safe to repeat. */
export function showHidden(text: string): string {
  return text.replace(hidden, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16)
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
  })
}
