/** Id behind one of Stripe's expandable fields, which hold an id or the object; null when empty or absent. */
export function idOf(field: string | { readonly id: string } | null | undefined): string | null {
  return typeof field === 'string' ? field : (field?.id ?? null)
}
