/** What `reconcile` was asked for. */
export interface ReconcileCommandOptions {
  /** In milliseconds. */
  readonly since?: number
  /** A connected account, or a context. */
  readonly account?: string
  /** Whatever Stripe says of deliveries. */
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly json?: true
}
