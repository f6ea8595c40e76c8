/** What a row has to reach: a bound on its value, on its ratio, or on its ratio to before. */
export interface Target {
  readonly of: 'value' | 'ratio' | 'before'
  readonly atLeast?: number
  readonly atMost?: number
}

/** One line of the result. */
export interface Row {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** To the row that is the unit of its group: the sample's, or the claim with the fewest entries. */
  readonly ratio?: number | undefined
  /** To the same of the checkout that this one stands against; undefined without one. */
  readonly toBefore?: number | undefined
  readonly target?: Target | undefined
  /** Undefined when there is no target, or nothing to compare with. */
  readonly isMet: boolean | undefined
}

/** A row judged by its target. */
export function createRow(row: Omit<Row, 'isMet'>): Row {
  const { target } = row
  const judged = target && judgedBy(row, target)
  if (target === undefined || judged === undefined) return { ...row, isMet: undefined }
  return { ...row, isMet: judged >= (target.atLeast ?? -Infinity) && judged <= (target.atMost ?? Infinity) }
}

/** `≤ 1.3 ×`, `≥ 1.1 × before`, `≥ 10,000 /s`; empty without a target, and without what it is on. */
export function describeTarget({ target, unit, toBefore }: Row): string {
  if (target === undefined || (target.of === 'before' && toBefore === undefined)) return ''
  const [sign, limit] = target.atLeast === undefined ? ['≤', target.atMost] : ['≥', target.atLeast]
  const units = { value: unit, ratio: '×', before: '× before' }
  return `${sign} ${limit?.toLocaleString('en')} ${units[target.of]}`
}

function judgedBy({ value, ratio, toBefore }: Omit<Row, 'isMet'>, { of }: Target): number | undefined {
  return { value, ratio, before: toBefore }[of]
}
