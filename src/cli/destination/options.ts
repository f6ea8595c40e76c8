/** What `destination create` was asked for. */
export interface CreateOptions {
  readonly url: URL
  readonly connect?: true
  readonly thin?: true
  readonly yes?: true
}

/** What `destination update` was asked for. */
export interface UpdateOptions {
  readonly dryRun?: true
  readonly yes?: true
  readonly json?: true
}
