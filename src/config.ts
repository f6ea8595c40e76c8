import { config as readDotenv } from 'dotenv'
import { z } from 'zod'
import { ReceiverError } from './errors.ts'
import type { LogLevel } from './log.ts'

/** All settings, checked. The README's table of variables says what each is for. */
export interface Config {
  /** One or more, `whsec_…`. */
  readonly webhookSecrets: readonly string[]
  /** Empty when no Connect destination is configured. */
  readonly connectWebhookSecrets: readonly string[]
  readonly stripeApiKey: string | undefined
  readonly stripeApiBase: URL | undefined
  /** All requests of this process to Stripe together. */
  readonly stripeRequestsPerSecond: number
  /** 0 never asks Stripe for what it could not deliver. */
  readonly reconcileMinutes: number
  readonly mode: 'any' | 'live' | 'test'
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly adminHost: string
  readonly adminPort: number
  readonly databaseUrl: string
  readonly role: 'all' | 'receive' | 'work'
  readonly handlersPath: string | undefined
  readonly workerConcurrency: number
  readonly handlerTimeoutMs: number
  readonly twins: 'one' | 'both'
  readonly maxAttempts: number
  readonly signatureToleranceSeconds: number
  readonly maxBodyBytes: number
  readonly retentionDays: number
  readonly shutdownTimeoutMs: number
  readonly logLevel: LogLevel
}

const wholeNumber = (min: number, max: number, example: number) => {
  const expected = `a whole number from ${min} to ${max}, such as ${example}`
  return z
    .string()
    .regex(/^\d{1,15}$/, expected)
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected)
}

const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, { error: `one of ${values.join(', ')}` })

const secretList = (command: string) =>
  z
    .string()
    .transform((list) => list.split(',').map((secret) => secret.trim()))
    .refine(
      (secrets) => secrets.every((secret) => /^whsec_[\w+/=-]{8,}$/.test(secret)),
      `a signing secret such as whsec_1a2b3c4d5e6f, or several separated by commas; ${command}`,
    )

const GET_SECRET =
  'get one with `stripe listen --print-secret`, or from the destination in Workbench ("Signing secret")'

const environmentSchema = z.object({
  STRIPE_WEBHOOK_SECRET: secretList(GET_SECRET),
  STRIPE_CONNECT_WEBHOOK_SECRET: secretList(GET_SECRET).default([]),
  STRIPE_API_KEY: z
    .string()
    .regex(/^[sr]k_(live|test)_\w{8,}$/, 'a secret or restricted API key such as sk_test_… or rk_live_…')
    .optional(),
  STRIPE_API_BASE: z
    .url({ protocol: /^https?$/, error: 'an http or https URL such as http://127.0.0.1:12111' })
    .transform((url) => new URL(url))
    .optional(),
  STRIPE_REQUESTS_PER_SECOND: wholeNumber(1, 1_000, 50).default(50),
  RECONCILE_MINUTES: wholeNumber(0, 1_440, 15).default(15),
  STRIPE_MODE: oneOf('any', 'live', 'test').default('any'),
  HOST: z.string().default('0.0.0.0'),
  PORT: wholeNumber(0, 65_535, 4242).default(4242),
  ADMIN_HOST: z.string().default('127.0.0.1'),
  ADMIN_PORT: wholeNumber(0, 65_535, 4243).default(4243),
  DATABASE_URL: z
    .string()
    .refine(
      (url) => /^file:.+$/.test(url) || (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)),
      'a file such as file:./data/inbox.db, or a Postgres such as postgres://user:password@db.example.com:5432/receiver',
    )
    .default('file:./data/inbox.db'),
  ROLE: oneOf('all', 'receive', 'work').default('all'),
  HANDLERS: z.string().optional(),
  WORKER_CONCURRENCY: wholeNumber(1, 1_000, 16).default(16),
  HANDLER_TIMEOUT_MS: wholeNumber(10, 3_600_000, 30_000).default(30_000),
  TWINS: oneOf('one', 'both').default('one'),
  MAX_ATTEMPTS: wholeNumber(1, 100, 20).default(20),
  SIGNATURE_TOLERANCE_SECONDS: wholeNumber(1, 86_400, 300).default(300),
  MAX_BODY_BYTES: wholeNumber(1_024, 16_777_216, 1_048_576).default(1_048_576),
  RETENTION_DAYS: wholeNumber(1, 3_650, 30).default(30),
  SHUTDOWN_TIMEOUT_MS: wholeNumber(100, 600_000, 25_000).default(25_000),
  LOG_LEVEL: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info'),
})

/** Names of all variables, in the order of the README's table. */
export const variableNames: readonly string[] = Object.keys(environmentSchema.shape)

export type Environment = Readonly<Record<string, string | undefined>>

/** `process.env`, after `.env` of the working directory filled in what it does not set. */
export function readEnvironment(): Environment {
  readDotenv({ quiet: true })
  return process.env
}

/**
 * Environment → Config. An empty variable counts as not set. Throws one ReceiverError `config_invalid` that lists every fault
 * with the expected form and never a value, since any value may be a misplaced secret.
 */
export function parseConfig(environment: Environment): Config {
  const given = Object.fromEntries(variableNames.map((name) => [name, environment[name]?.trim() || undefined]))
  const parsed = environmentSchema.safeParse(given)
  const faults = parsed.success
    ? []
    : parsed.error.issues.map((issue) => describeFault(String(issue.path[0]), given, issue.message))
  const modeFault = describeModeFault(given)
  if (modeFault !== undefined) faults.push(modeFault)
  if (!parsed.success || faults.length > 0) {
    throw new ReceiverError(
      'config_invalid',
      `The configuration has ${faults.length} fault(s):\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    )
  }
  const value = parsed.data
  return {
    webhookSecrets: value.STRIPE_WEBHOOK_SECRET,
    connectWebhookSecrets: value.STRIPE_CONNECT_WEBHOOK_SECRET,
    stripeApiKey: value.STRIPE_API_KEY,
    stripeApiBase: value.STRIPE_API_BASE,
    stripeRequestsPerSecond: value.STRIPE_REQUESTS_PER_SECOND,
    reconcileMinutes: value.RECONCILE_MINUTES,
    mode: value.STRIPE_MODE,
    host: value.HOST,
    port: value.PORT,
    adminHost: value.ADMIN_HOST,
    adminPort: value.ADMIN_PORT,
    databaseUrl: value.DATABASE_URL,
    role: value.ROLE,
    handlersPath: value.HANDLERS,
    workerConcurrency: value.WORKER_CONCURRENCY,
    handlerTimeoutMs: value.HANDLER_TIMEOUT_MS,
    twins: value.TWINS,
    maxAttempts: value.MAX_ATTEMPTS,
    signatureToleranceSeconds: value.SIGNATURE_TOLERANCE_SECONDS,
    maxBodyBytes: value.MAX_BODY_BYTES,
    retentionDays: value.RETENTION_DAYS,
    shutdownTimeoutMs: value.SHUTDOWN_TIMEOUT_MS,
    logLevel: value.LOG_LEVEL,
  }
}

function describeFault(name: string, given: Environment, expected: string): string {
  if (given[name] !== undefined) return `${name}: expected ${expected}`
  return `${name} is not set: expected ${name === 'STRIPE_WEBHOOK_SECRET' ? `a signing secret (whsec_…); ${GET_SECRET}` : expected}`
}

/** A live key on a test server, or the other way round, would act on the wrong money: it stops the start. */
function describeModeFault(given: Environment): string | undefined {
  const keyMode = given.STRIPE_API_KEY?.match(/^[sr]k_(live|test)_/)?.[1]
  const mode = given.STRIPE_MODE
  if (keyMode === undefined || (mode !== 'live' && mode !== 'test') || keyMode === mode) return undefined
  return `STRIPE_API_KEY: expected a ${mode} mode key because STRIPE_MODE is ${mode}, and it is a ${keyMode} mode key; change one of them`
}
