// Stripe's list (docs.stripe.com/currencies). Every other amount has two decimals: ISK and UGX too (always 00), and HUF
// and TWD, which are whole only when paid out.
const zeroDecimal: ReadonlySet<string> = new Set(
  'bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '),
)
const threeDecimal: ReadonlySet<string> = new Set('bhd jod kwd omr tnd'.split(' '))

/**
 * An amount with its currency, for people: `12.50 USD`, `500 JPY`, `-0.05 EUR`. Takes an integer in the currency's
 * smallest unit and the currency in either case, as Stripe sends them.
 */
export function formatAmount(amount: number, currency: string): string {
  return `${decimalAmount(amount, currency)} ${currency.toUpperCase()}`
}

/** The same without the currency: `12.50`. A currency that Stripe's list does not name counts as two-decimal. */
export function decimalAmount(amount: number, currency: string): string {
  const decimals = decimalsOf(currency.toLowerCase())
  const digits = String(Math.abs(amount)).padStart(decimals + 1, '0')
  const sign = amount < 0 ? '-' : ''
  return decimals === 0 ? sign + digits : `${sign}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}

function decimalsOf(currency: string): number {
  if (zeroDecimal.has(currency)) return 0
  return threeDecimal.has(currency) ? 3 : 2
}

/** Id behind one of Stripe's expandable fields, which hold an id or the object; null when empty or absent. */
export function idOf(field: string | { readonly id: string } | null | undefined): string | null {
  return typeof field === 'string' ? field : (field?.id ?? null)
}

/** Stripe's Unix seconds as an ISO instant in UTC; null when there are none. */
export function isoTime(seconds: number | null | undefined): string | null {
  return typeof seconds === 'number' ? new Date(seconds * 1_000).toISOString() : null
}
