import { inject } from 'vitest'
import { type PostgresSchema, planSchema } from './plan-schema.ts'

export type { PostgresSchema }

/** A schema for one test or a file of them, which does not exist yet; in the tests' Postgres unless another is named. */
export const planPostgresSchema = (serverUrl = inject('postgresUrl')): PostgresSchema => planSchema(serverUrl)
