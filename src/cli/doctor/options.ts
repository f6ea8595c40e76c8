/** What `doctor` was asked for. */
export interface DoctorOptions {
  readonly url?: URL
  readonly ping?: true
  /** Nothing else is done then. */
  readonly alert?: true
  /** Nothing else is done then. */
  readonly targets?: true
  /** How long to wait for pings, in seconds. */
  readonly timeout: number
  readonly json?: true
}
