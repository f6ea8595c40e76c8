/** What `reconcile` was asked for. */
export interface ReconcileCommandOptions {
  /** In milliseconds. */
  readonly since?: number
  /** A connected account. */
  readonly account?: string
  readonly dryRun?: true
  readonly json?: true
}
