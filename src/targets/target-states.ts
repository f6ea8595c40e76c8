import type { KnownState, TargetState } from '../inbox/forwards.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { type Learned, learn, UNTRIED } from './circuit.ts'

/** What is known of each target, as the store has it for all processes. */
export interface TargetStates {
  of(target: string): TargetState
  /** Reads what others learned; rejects as the store does. */
  refresh(): Promise<void>
  /**
   * Keeps what was learned. False when it is not kept: nobody needs it (the state is as before), or the store is away, which it logs.
   * One after the other for each target.
   */
  tell(target: string, learned: Learned): Promise<boolean>
}

export interface TargetStatesOptions {
  readonly inbox: Pick<Inbox, 'forwards'>
  readonly log: Log
  /** Told of what changed by this process. */
  readonly onChanged: (target: string, before: TargetState, after: TargetState) => void
  readonly now?: () => number
}

const NOTHING_KNOWN: Pick<KnownState, 'state' | 'version'> = { state: UNTRIED, version: 0 }

export function createTargetStates({ inbox, log, onChanged, now = Date.now }: TargetStatesOptions): TargetStates {
  let known = new Map<string, Pick<KnownState, 'state' | 'version'>>()
  const queues = new Map<string, Promise<unknown>>()
  const find = (target: string) => known.get(target) ?? NOTHING_KNOWN

  async function refresh(): Promise<void> {
    const states = await inbox.forwards.states()
    // Another process may have learned less than this one wrote meanwhile.
    known = new Map(
      states.map((read) => [read.target, read.version < find(read.target).version ? find(read.target) : read]),
    )
  }

  async function keep(target: string, learned: Learned): Promise<boolean> {
    for (;;) {
      const { state, version } = find(target)
      const next = learn(state, learned, now())
      if (next === state) return false
      if (await inbox.forwards.writeState(target, next, version)) {
        known.set(target, { state: next, version: version + 1 })
        onChanged(target, state, next)
        return true
      }
      await refresh()
      // Somebody else has just asked whether it is back.
      if (learned.kind === 'probe') return false
    }
  }

  return {
    of: (target) => find(target).state,
    refresh,
    tell(target, learned) {
      const before = queues.get(target) ?? Promise.resolve()
      const told = before
        .then(() => keep(target, learned))
        .catch((error: unknown) => {
          log.warn({ err: error, target }, 'cannot keep how a target does; it goes on without')
          return false
        })
      queues.set(target, told)
      return told
    },
  }
}
