import type { Place } from './place.ts'
import type { Random } from './random.ts'
import type { PostgresSubject, SqliteSubject, Subject } from './subject.ts'

/** Something that goes wrong under load, and is well again once its strike resolves. */
export interface Fault {
  readonly name: string
  /** What it does, for the help of the command. */
  readonly summary: string
  /** How it strikes an inbox on SQLite; left out when it cannot. */
  readonly sqlite?: Strike<SqliteSubject>
  readonly postgres?: Strike<PostgresSubject>
  /** What deliveries may be answered because of it, beside 503. */
  readonly refusal?: number
}

/** Resolves with what was done, in words. */
export type Strike<S extends Subject> = (context: Context<S>) => Promise<string>

export interface Context<S extends Subject> {
  readonly subject: S
  readonly random: Random
  /** A time in milliseconds, seldom a long one: from the shortest, by default 100, up to the longest that a fault may last. */
  lasting(shortestMs?: number): number
  /** While it goes on, the processes of these places may not reach the store, and lose what they work on there. */
  cutOff<T>(places: readonly Place[], work: () => Promise<T>): Promise<T>
  /** Compares the store, as it is now, with what was promised. */
  inspect(): Promise<void>
}
