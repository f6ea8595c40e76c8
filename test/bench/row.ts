/** What a row has to reach: a bound on its value, or on its ratio. */
export interface Target {
  readonly of: 'value' | 'ratio'
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
  readonly target?: Target
  /** Undefined when there is no target, or nothing to compare with. */
  readonly isMet: boolean | undefined
}

/** A row judged by its target. */
export function createRow(row: Omit<Row, 'isMet'>): Row {
  const { target } = row
  const judged = target?.of === 'ratio' ? row.ratio : row.value
  if (target === undefined || judged === undefined) return { ...row, isMet: undefined }
  return { ...row, isMet: judged >= (target.atLeast ?? -Infinity) && judged <= (target.atMost ?? Infinity) }
}

/** `≤ 1.3 ×`, `≥ 10,000 /s`; empty without a target. */
export function describeTarget({ target, unit }: Row): string {
  if (target === undefined) return ''
  const [sign, limit] = target.atLeast === undefined ? ['≤', target.atMost] : ['≥', target.atLeast]
  return `${sign} ${target.of === 'ratio' ? `${limit} ×` : `${limit?.toLocaleString('en')} ${unit}`}`
}
