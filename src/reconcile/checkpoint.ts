import type { Inbox } from '../inbox/inbox.ts'

/** How far an account was looked at. */
export interface Checkpoint {
  /** Undefined without one, and when it is not asked for. */
  readonly at: number | undefined
  /** Notes it, unless it is noted already, or is not to be. */
  move(to: number): Promise<void>
}

interface CheckpointOptions {
  readonly inbox: Pick<Inbox, 'readNote' | 'writeNote'>
  readonly sinceMs?: number | undefined
  readonly isDryRun?: boolean
}

/** The one of that name. A run that is told how far back to look has none, and a dry run moves none. */
export async function readCheckpoint(options: CheckpointOptions, note: string): Promise<Checkpoint> {
  const { inbox, sinceMs, isDryRun = false } = options
  if (sinceMs !== undefined) return { at: undefined, move: async () => undefined }
  const noted = Date.parse((await inbox.readNote(note)) ?? '')
  let last = noted
  return {
    at: Number.isNaN(noted) ? undefined : noted,
    async move(to) {
      if (isDryRun || to <= last) return
      last = to
      await inbox.writeNote(note, new Date(to).toISOString())
    },
  }
}
