import { config as readDotenv } from 'dotenv'
import { z } from 'zod'
import { ReceiverError } from './errors.ts'

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

const GET_SECRET =
  'get one with `stripe listen --print-secret`, or from the destination in Workbench ("Signing secret")'

const secretList = z
  .string(`a signing secret (whsec_…); ${GET_SECRET}`)
  .transform((list) => list.split(',').map((secret) => secret.trim()))
  .refine(
    (secrets) => secrets.every((secret) => /^whsec_[\w+/=-]{8,}$/.test(secret)),
    `a signing secret (whsec_…, 8 characters or more after it), or several separated by commas; ${GET_SECRET}`,
  )
  .readonly()

const hostList = z
  .string()
  .transform((list) => list.split(',').map((host) => host.trim().toLowerCase()))
  .refine(
    (hosts) => hosts.every((host) => /^[a-z\d.-]+$/.test(host)),
    'a host name such as admin.example.com, without scheme or port, or several separated by commas',
  )
  .readonly()

const HTTP_URL = 'an http or https URL without a user and password, such as https://hooks.slack.com/services/…'

/** A setting: the variable that it is read from, and how. */
const from = <Schema extends z.ZodType>(variable: string, schema: Schema) => ({ variable, schema })

/** Each setting by its name in the program, in the order of the README's table, which says what each is for. */
const settings = {
  /** One or more, `whsec_…`. */
  webhookSecrets: from('STRIPE_WEBHOOK_SECRET', secretList),
  /** Empty when no Connect destination is configured. */
  connectWebhookSecrets: from('STRIPE_CONNECT_WEBHOOK_SECRET', secretList.default([])),
  stripeApiKey: from(
    'STRIPE_API_KEY',
    z
      .string()
      .regex(
        /^([sr]k|sk_org)_(live|test)_\w{8,}$/,
        "a secret or restricted API key such as sk_test_… or rk_live_…, or an organization's",
      )
      .optional(),
  ),
  stripeApiBase: from(
    'STRIPE_API_BASE',
    z
      .url({ protocol: /^https?$/, error: 'an http or https URL such as http://127.0.0.1:12111' })
      .transform((url) => new URL(url))
      .optional(),
  ),
  /** Of this process to each operation of Stripe's API. */
  stripeRequestsPerSecond: from('STRIPE_REQUESTS_PER_SECOND', wholeNumber(1, 1_000, 20).default(20)),
  /** 0 never asks Stripe for what did not get here. */
  reconcileMinutes: from('RECONCILE_MINUTES', wholeNumber(0, 1_440, 15).default(15)),
  mode: from('STRIPE_MODE', oneOf('any', 'live', 'test').default('any')),
  host: from('HOST', z.string().default('0.0.0.0')),
  /** 0 takes any free port. */
  port: from('PORT', wholeNumber(0, 65_535, 4242).default(4242)),
  adminHost: from('ADMIN_HOST', z.string().default('127.0.0.1')),
  adminPort: from('ADMIN_PORT', wholeNumber(0, 65_535, 4243).default(4243)),
  /** Beside localhost, loopback addresses and ADMIN_HOST. */
  adminAllowedHosts: from('ADMIN_ALLOWED_HOSTS', hostList.default([])),
  consolePassword: from(
    'CONSOLE_PASSWORD',
    z.string().min(16, '16 characters or more, such as `openssl rand -hex 16` prints').optional(),
  ),
  isConsoleReadOnly: from(
    'CONSOLE_READ_ONLY',
    oneOf('0', '1')
      .default('0')
      .transform((value) => value === '1'),
  ),
  consolePayloads: from('CONSOLE_PAYLOADS', oneOf('show', 'hide').default('show')),
  databaseUrl: from(
    'DATABASE_URL',
    z
      .string()
      .refine(
        (url) => /^file:.+$/.test(url) || (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)),
        'a file such as file:./data/inbox.db, or a Postgres such as postgres://user:password@db.example.com:5432/receiver',
      )
      .default('file:./data/inbox.db'),
  ),
  role: from('ROLE', oneOf('all', 'receive', 'work').default('all')),
  handlersPath: from('HANDLERS', z.string().optional()),
  answersPath: from('ANSWERS', z.string().optional()),
  targetsPath: from('TARGETS', z.string().optional()),
  workerConcurrency: from('WORKER_CONCURRENCY', wholeNumber(1, 1_000, 16).default(16)),
  handlerTimeoutMs: from('HANDLER_TIMEOUT_MS', wholeNumber(10, 3_600_000, 30_000).default(30_000)),
  handlerOverrunMs: from('HANDLER_OVERRUN_MS', wholeNumber(10, 3_600_000, 30_000).default(30_000)),
  /** Paths into an event, whose values it can be found by; empty for none. */
  searchFields: from(
    'SEARCH_FIELDS',
    z
      .string()
      .regex(
        /^(none|\w+(\.\w+)+(\s*,\s*\w+(\.\w+)+){0,9})$/,
        'paths into an event separated by commas, such as data.object.customer,data.object.metadata.order (10 at most), or none',
      )
      .default('data.object.customer')
      .transform((list) => (list === 'none' ? [] : list.split(',').map((path) => path.trim())))
      .readonly(),
  ),
  twins: from('TWINS', oneOf('one', 'both').default('one')),
  maxAttempts: from('MAX_ATTEMPTS', wholeNumber(1, 100, 20).default(20)),
  signatureToleranceSeconds: from('SIGNATURE_TOLERANCE_SECONDS', wholeNumber(1, 86_400, 300).default(300)),
  maxBodyBytes: from('MAX_BODY_BYTES', wholeNumber(1_024, 16_777_216, 1_048_576).default(1_048_576)),
  retentionDays: from('RETENTION_DAYS', wholeNumber(1, 3_650, 30).default(30)),
  shutdownTimeoutMs: from('SHUTDOWN_TIMEOUT_MS', wholeNumber(100, 600_000, 25_000).default(25_000)),
  /** Whoever knows it can post there: a secret. */
  alertUrl: from(
    'ALERT_URL',
    z
      .url({ protocol: /^https?$/, error: HTTP_URL })
      .transform((url) => new URL(url))
      // fetch refuses a URL with a password, in words that hold it.
      .refine(({ username, password }) => username + password === '', HTTP_URL)
      .optional(),
  ),
  logLevel: from('LOG_LEVEL', oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent').default('info')),
}

/** All settings, checked. */
export type Config = { readonly [Name in keyof typeof settings]: z.output<(typeof settings)[Name]['schema']> }

// The cast holds: a literal's own keys are all that Object.keys gives.
const names = Object.keys(settings) as readonly (keyof Config)[]

/** Names of all variables, in the order of the README's table. */
export const variableNames: readonly string[] = names.map((name) => settings[name].variable)

export type Environment = Readonly<Record<string, string | undefined>>

/** `process.env`, after `.env` of the working directory filled in what it does not set. Throws ReceiverError `config_invalid` when that cannot be read. */
export function readEnvironment(): Environment {
  const { error } = readDotenv({ quiet: true })
  if (error === undefined || error.code === 'ENOENT') return process.env
  throw new ReceiverError(
    'config_invalid',
    `The file .env is there and cannot be read: ${error.message}. Give this user the right to, or remove it.`,
  )
}

/** As a process that is started now will read it; nothing of `.env` is kept in this one. */
export function peekEnvironment(): Environment {
  const found = { ...process.env }
  readDotenv({ quiet: true, processEnv: found })
  return found
}

/**
 * Environment → Config. An empty variable counts as not set. Throws one ReceiverError `config_invalid` that lists every fault
 * with the expected form and never a value, since any value may be a misplaced secret.
 */
export function parseConfig(environment: Environment): Config {
  return parseSettings(environment, names)
}

/** These settings alone, as `parseConfig` has them: the rest of the environment is not looked at. */
export function parseSettings<Name extends keyof Config>(
  environment: Environment,
  asked: readonly Name[],
): Pick<Config, Name> {
  const values: Record<string, unknown> = {}
  const faults: string[] = []
  for (const name of asked) {
    const { variable, schema } = settings[name]
    const text = environment[variable]?.trim() || undefined
    const { success, data, error } = schema.safeParse(text)
    if (success) values[name] = data
    else faults.push(`${variable}${text === undefined ? ' is not set' : ''}: expected ${error.issues[0]?.message}`)
  }
  // The cast holds: each value is what the setting's own schema gave.
  const config = values as Pick<Config, Name> & Partial<Config>
  const modeFault = describeModeFault(config)
  if (modeFault !== undefined) faults.push(modeFault)
  if (faults.length === 0) return config
  throw new ReceiverError(
    'config_invalid',
    `The configuration has ${faults.length} fault(s):\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
  )
}

/** Of the variables that begin with STRIPE_ and are no settings, those that are nearly one: `STRIPE_WEBHOOK_SECRETS: STRIPE_WEBHOOK_SECRET?`. */
export function findMisspelt(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => /^stripe_/i.test(name) && !variableNames.includes(name))
    .flatMap((name) => {
      const meant = variableNames.find((known) => countEdits(name.toUpperCase(), known) <= MAX_EDITS)
      return meant === undefined ? [] : `${name}: ${meant}?`
    })
}

const MAX_EDITS = 3

/** Letters to add, remove or change from the one to the other. */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [line, letter] of [...from].entries()) {
    const above = row
    row = [line + 1]
    for (const [column, wanted] of [...to].entries()) {
      const change = (above[column] ?? 0) + (letter === wanted ? 0 : 1)
      row.push(Math.min(change, (above[column + 1] ?? 0) + 1, (row[column] ?? 0) + 1))
    }
  }
  return row.at(-1) ?? 0
}

/** A live key on a test server, or the other way round, would act on the wrong money: it stops the start. */
function describeModeFault({ stripeApiKey, mode }: Partial<Config>): string | undefined {
  const keyMode = stripeApiKey?.match(/^(?:[sr]k|sk_org)_(live|test)_/)?.[1]
  if (keyMode === undefined || mode === undefined || mode === 'any' || mode === keyMode) return undefined
  return `STRIPE_API_KEY: expected a ${mode} mode key because STRIPE_MODE is ${mode}, and it is a ${keyMode} mode key; change one of them`
}
