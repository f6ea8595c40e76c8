import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { ReceiverError } from '../errors.ts'
import { isKnownType, previewTypes, snapshotTypes, thinTypes } from '../event/known-types.ts'
import type { ForwardedEvent, Targets } from '../event.ts'
import { importUserModule, isPlainObject, kindOf } from '../user-module.ts'
import { isRefusedAddress } from './refused-address.ts'
import { toTypePattern } from './type-pattern.ts'

/** A target as it is used, checked. */
export interface LoadedTarget {
  readonly name: string
  readonly url: URL
  readonly secrets: readonly string[]
  readonly sign: 'stripe' | 'standard'
  readonly types: readonly string[] | undefined
  readonly accounts: readonly string[] | undefined
  readonly shapes: readonly ('snapshot' | 'thin')[] | undefined
  readonly mode: 'live' | 'test' | undefined
  readonly where: ((event: ForwardedEvent) => boolean) | undefined
  readonly concurrency: number
  readonly perSecond: number | undefined
  readonly timeoutMs: number
  readonly order: 'lane' | undefined
  readonly final: readonly number[]
  /** PEM. */
  readonly ca: string | undefined
}

/** Targets to start with, and what to warn about. */
export interface LoadedTargets {
  readonly targets: readonly LoadedTarget[]
  /** Patterns that fit no type of the SDK: newer than it, or misspelt and then never met. */
  readonly unknownTypes: readonly string[]
}

type Environment = Readonly<Record<string, string | undefined>>

const MAX_TARGETS = 32
/** What is taken for a secret of Stripe's kind. */
export const STRIPE_SECRET = /^whsec_[\w+/=-]{8,}$/
/** The same of Standard Webhooks, which asks for 24 to 64 bytes. */
export const STANDARD_SECRET = /^whsec_[A-Za-z\d+/]{32,86}={0,2}$/

/**
 * The targets of a user's own module, with their secrets from the environment; none without a module.
 * @param modulePath a `.ts`, `.js` or `.mjs` file, absolute or relative to the working directory; undefined for none
 * @throws ReceiverError `targets_invalid` with all faults, never with a value, when it does not export what it should
 */
export async function loadTargets(modulePath: string | undefined, environment: Environment): Promise<LoadedTargets> {
  if (modulePath === undefined) return { targets: [], unknownTypes: [] }
  const { path, exports } = await importUserModule(modulePath, 'TARGETS', 'targets_invalid')
  return checkTargets(exports.targets, path, environment)
}

/** As `loadTargets`, of what a module exports as `targets`. */
export function checkTargets(exported: unknown, path: string, environment: Environment): LoadedTargets {
  if (!isPlainObject(exported)) {
    throw invalid(
      `Expected \`export const targets = { shop: { … } }\`, and ${path} exports ${kindOf(exported)} as \`targets\`.`,
    )
  }
  const faults: string[] = []
  const names = Object.keys(exported)
  if (names.length > MAX_TARGETS) faults.push(`${names.length} targets: expected ${MAX_TARGETS} at most`)
  const targets = names.flatMap((name) => {
    const found = checkTarget(name, exported[name], environment)
    if (!Array.isArray(found)) return [found]
    faults.push(...found)
    return []
  })
  if (faults.length > 0)
    throw invalid(
      `The targets of ${path} have ${faults.length} fault(s):\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
    )
  return { targets, unknownTypes: [...new Set(targets.flatMap(({ types }) => types ?? []))].filter(isUnknown) }
}

/** The faults instead, where there are any. */
function checkTarget(name: string, exported: unknown, environment: Environment): LoadedTarget | string[] {
  const faults: string[] = []
  const tell = (what: string) => faults.push(`${name}: ${what}`)
  if (!/^[a-z][a-z\d-]{0,31}$/.test(name))
    tell('expected a name of small letters, digits and -, 32 at most, that begins with a letter')
  const { data, error } = targetSchema.safeParse(exported)
  for (const issue of error?.issues ?? []) tell(`${describePath(issue.path)}${describeIssue(issue)}`)
  // Also where something else is wrong with it, so that all is told at once.
  const given = data ?? readLinked(exported)
  const secrets = given.secrets.flatMap(({ variable }) => {
    const found = (environment[variable] ?? '')
      .split(',')
      .map((secret) => secret.trim())
      .filter((secret) => secret !== '')
    if (found.length === 0) tell(`secrets: the variable ${variable} is not set`)
    if (given.sign === undefined) return []
    const [form, words] =
      given.sign === 'stripe'
        ? [STRIPE_SECRET, 'whsec_… with 8 characters or more after it']
        : [STANDARD_SECRET, 'whsec_… with 24 to 64 bytes in base64 after it, as Standard Webhooks has them']
    if (found.some((secret) => !form.test(secret))) tell(`secrets: expected ${variable} to hold ${words}`)
    return found
  })
  const ca = given.ca === undefined ? undefined : readAuthorities(given.ca, tell)
  if (data === undefined || faults.length > 0) return faults
  const { types, accounts, shapes, mode, where, perSecond, order, ...rest } = data
  return { name, ...rest, types, accounts, shapes, mode, where, perSecond, order, secrets, ca }
}

const ONE_OF_MODES = "'live' or 'test'; leave it out for both"

const wholeNumber = (min: number, max: number) => {
  const expected = `expected a whole number from ${min} to ${max}`
  return z.int(expected).min(min, expected).max(max, expected)
}

const listOf = <Schema extends z.ZodType>(each: Schema, expected: string) =>
  z.array(each, `expected ${expected}`).min(1, `expected ${expected}, one or more`).readonly()

const URL_FORM = 'an http or https URL without a user, a password or a fragment, such as https://shop.internal/stripe'

const targetSchema = z.strictObject(
  {
    url: z
      .url({ protocol: /^https?$/, error: `expected ${URL_FORM}` })
      .transform((text) => new URL(text))
      .refine(({ username, password, hash }) => username + password + hash === '', `expected ${URL_FORM}`)
      .refine(
        ({ hostname }) => !isRefusedAddress(hostname.replace(/^\[|\]$/g, '')),
        'nothing is sent to link-local addresses, where clouds keep their metadata',
      ),
    secrets: listOf(
      z.strictObject({ variable: z.string().regex(/^\w+$/, 'expected the name of a variable') }, "expected env('…')"),
      "a list such as [env('SHOP_SECRET')]: a secret stands in the environment",
    ),
    sign: z.enum(['stripe', 'standard'], "expected 'stripe' or 'standard': both kinds of secret look the same"),
    types: listOf(
      z.string().regex(/^[\w.[\]*-]{1,255}$/, "expected an event type, perhaps with *: 'payout.*'"),
      "event types such as ['payout.*']",
    ).optional(),
    accounts: listOf(
      z.string().regex(/^acct_\w+$/, 'expected the id of a connected account, acct_…'),
      "connected accounts such as ['acct_…']",
    ).optional(),
    shapes: listOf(
      z.enum(['snapshot', 'thin'], "expected 'snapshot' or 'thin'"),
      "['snapshot'] or ['thin']",
    ).optional(),
    mode: z.enum(['live', 'test'], `expected ${ONE_OF_MODES}`).optional(),
    where: z
      .custom<(event: ForwardedEvent) => boolean>(
        (value) => typeof value === 'function',
        'expected a function, (event) => true or false',
      )
      .optional(),
    concurrency: wholeNumber(1, 256).default(8),
    perSecond: wholeNumber(1, 10_000).optional(),
    timeoutMs: wholeNumber(100, 60_000).default(10_000),
    order: z.literal('lane', "expected 'lane'; leave it out where the order does not matter").optional(),
    final: z.array(wholeNumber(400, 599), 'expected statuses such as [422]').readonly().default([]),
    ca: z.string('expected the path of a PEM file').min(1, 'expected the path of a PEM file').optional(),
  } satisfies Record<keyof Targets[string], z.ZodType>,
  'expected an object such as { url, secrets, sign }',
)

/** Of a target with faults, what leads to the environment and to files. */
function readLinked(exported: unknown) {
  const { secrets, sign, ca } = isPlainObject(exported) ? exported : {}
  const { shape } = targetSchema
  return {
    secrets: shape.secrets.safeParse(secrets).data ?? [],
    sign: shape.sign.safeParse(sign).data,
    ca: shape.ca.safeParse(ca).data,
  }
}

function describePath(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '' : `${path.map(String).join('.')}: `
}

function describeIssue(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `there is no such option as ${issue.keys.join(', ')}`
  return issue.message
}

function readAuthorities(file: string, tell: (fault: string) => void): string | undefined {
  const path = resolve(file)
  try {
    const pem = readFileSync(path, 'utf8')
    const certificates = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? []
    for (const certificate of certificates) new X509Certificate(certificate)
    if (certificates.length > 0) return pem
    tell(`ca: ${path} holds no certificate in PEM`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    tell(`ca: ${path} cannot be read as certificates in PEM (${code})`)
  }
  return undefined
}

function isUnknown(pattern: string): boolean {
  if (!pattern.includes('*')) return !isKnownType(pattern) && !previewTypes.some((type) => type === pattern)
  const form = toTypePattern(pattern)
  return ![...snapshotTypes, ...thinTypes, ...previewTypes].some((type) => form.test(type))
}

function invalid(message: string): ReceiverError {
  return new ReceiverError('targets_invalid', message)
}
