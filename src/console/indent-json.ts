/** Deeper levels are not indented further: an event may be nested so deep that its indentation alone fills the memory. */
const MAX_LEVEL = 40

/**
 * JSON with a line for each member, made from its text as it stands: numbers, escapes and repeated keys stay as they were signed,
 * which parsing would change. What is no JSON comes out in some form.
 */
export function indentJson(text: string): string {
  const out: string[] = []
  let level = 0
  const newLine = () => out.push('\n', '  '.repeat(Math.min(level, MAX_LEVEL)))
  // Strings, whatever has a meaning, and runs of the rest; white space between them goes.
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"?|[{[]\s*[}\]]|[{}[\],:]|[^\s"{}[\],:]+/gs)) {
    if (token === '{' || token === '[') {
      out.push(token)
      level += 1
      newLine()
    } else if (token === '}' || token === ']') {
      level = Math.max(0, level - 1)
      newLine()
      out.push(token)
    } else if (token === ',') {
      out.push(token)
      newLine()
    } else out.push(token === ':' ? ': ' : /^[{[]/.test(token) ? token.replace(/\s/g, '') : token)
  }
  return out.join('')
}
