/** The type that tells of the same changes in the other shape, by its name: it need not be one that Stripe has. */
export function twinOf(type: string): string {
  return type.startsWith('v1.') ? type.slice('v1.'.length) : `v1.${type}`
}

/** Whether it names a type of thin events: `v1.…` or `v2.…`. */
export function isThinType(type: string): boolean {
  return /^v\d+\./.test(type)
}
