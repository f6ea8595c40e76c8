import type { Inbox } from '../../../src/inbox/inbox.ts'
import type { PostgresProxy } from '../../support/postgres-proxy.ts'
import type { PostgresServer } from '../../support/postgres-server.ts'
import type { Place } from './place.ts'

/** What is struck: a store, and the places of the processes that work on it. */
export type Subject = SqliteSubject | PostgresSubject

interface Shared {
  /** Looks into the store as a command does, past everything that is in the processes' way. */
  look<T>(work: (inbox: Inbox) => Promise<T>): Promise<T>
  [Symbol.asyncDispose](): Promise<void>
}

export interface SqliteSubject extends Shared {
  readonly store: 'sqlite'
  /** One: no other works on the file. */
  readonly places: readonly Place[]
  readonly databasePath: string
}

export interface PostgresSubject extends Shared {
  readonly store: 'postgres'
  readonly places: readonly PostgresPlace[]
  readonly postgres: PostgresServer
}

export interface PostgresPlace extends Place {
  /** Between its process and Postgres. */
  readonly proxy: PostgresProxy
}

export type Store = Subject['store']

/** Told of the ends of processes. */
export interface Watch {
  onKilled(pid: number): void
  onDied(pid: number, how: string): void
}
