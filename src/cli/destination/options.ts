/** What `destination create` was asked for. */
export interface CreateOptions {
  readonly url: URL
  readonly connect?: true
  readonly thin?: true
  readonly yes?: true
}
