/** An event type with `*` for any run of characters → what the types that it stands for match. */
export function toTypePattern(pattern: string): RegExp {
  const parts = pattern.split('*').map((part) => RegExp.escape(part))
  return new RegExp(`^${parts.join('.*')}$`)
}
