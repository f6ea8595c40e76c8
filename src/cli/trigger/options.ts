/** What `trigger` was asked for. */
export interface TriggerOptions {
  readonly list?: true
  readonly thin?: true
  /** Both shapes of each change. */
  readonly twins?: true
  /** What to set in each event, in order. */
  readonly set?: readonly Setting[]
  /** A connected account. */
  readonly connect?: string
  readonly count: number
  readonly duplicate?: true
  /** How old the signature's stamp is; negative is in the future. */
  readonly age: number
  readonly badSignature?: true
  readonly live?: true
  /** A file's bytes, sent as they are. */
  readonly payload?: Buffer
  readonly url?: URL
}

/** A value for a place in an event's JSON. */
export interface Setting {
  /** Keys, and indexes of arrays. */
  readonly path: readonly string[]
  readonly value: unknown
}
