/** Something that the doctor found, and what to do about it. */
export interface Finding {
  /** A fault keeps events from being handled rightly; a warning may be meant so. */
  readonly severity: 'fault' | 'warning' | 'ok'
  /** What was looked at: a name that stays the same, for scripts. */
  readonly check: Check
  /** One sentence, without a secret. */
  readonly message: string
  /** What to do; left out when there is nothing to do. */
  readonly mend?: string
  /** Ids of the destinations that it is about. */
  readonly destinations?: readonly string[]
  /** The event types that it is about, all of them. */
  readonly types?: readonly string[]
}

export type Check =
  | 'api_key'
  | 'api_reachable'
  | 'api_permission'
  | 'secret'
  | 'connect_secret'
  | 'clock'
  | 'destination_present'
  | 'destination_single'
  | 'destination_enabled'
  | 'destination_origin'
  | 'destination'
  | 'api_version'
  | 'types_sent'
  | 'types_handled'
  | 'twins'
  | 'ping'
  | 'alert'
  | 'target'

const MAX_NAMED = 20

/** Types as a text, the first ones by name. */
export function listTypes(types: readonly string[], maxNamed = MAX_NAMED): string {
  if (types.length <= maxNamed + 1) return types.join(', ')
  return `${types.slice(0, maxNamed).join(', ')} and ${types.length - maxNamed} more`
}

export function countTypes(types: readonly string[]): string {
  return types.length === 1 ? '1 type' : `${types.length} types`
}
