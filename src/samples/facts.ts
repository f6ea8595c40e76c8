/** What a sample object is made from. */
export interface SampleFacts {
  /** The account that the object belongs to: the connected one, else an invented one of our own. */
  readonly account: string
  readonly livemode: boolean
  /** The event's `created`. */
  readonly createdSeconds: number
  /** A fresh id, such as `po_1…` for `po_`. */
  readonly createId: (prefix: string) => string
}
