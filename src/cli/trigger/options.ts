/** What `trigger` was asked for. */
export interface TriggerOptions {
  readonly thin?: true
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
