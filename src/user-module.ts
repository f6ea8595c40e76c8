import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ReceiverError, type ReceiverErrorCode } from './errors.ts'
import { describeError } from './log.ts'

/** A module of the user's. */
export interface UserModule {
  /** Absolute. */
  readonly path: string
  readonly exports: Readonly<Record<string, unknown>>
}

/**
 * Loads the module that a variable names.
 * @param modulePath a `.ts`, `.js` or `.mjs` file, absolute or relative to the working directory
 * @throws ReceiverError of the code when the file is missing or fails to load
 */
export async function importUserModule(
  modulePath: string,
  variable: 'HANDLERS' | 'ANSWERS' | 'TARGETS',
  code: ReceiverErrorCode,
): Promise<UserModule> {
  const path = resolve(modulePath)
  const stats = await stat(path).catch(() => undefined)
  if (!stats?.isFile()) {
    const found = stats ? 'is not a file' : 'does not exist'
    throw new ReceiverError(
      code,
      `${variable} must name a file, but ${path} ${found}. Give its absolute path, or one relative to ${process.cwd()}.`,
    )
  }
  try {
    return { path, exports: await import(pathToFileURL(path).href) }
  } catch (error) {
    // Only what may be said of it, not the error: its fields are foreign.
    const { name, message } = describeError(error)
    throw new ReceiverError(
      code,
      `${path} failed to load: ${name}: ${message}. Fix it; \`${process.execPath} ${path}\` shows where it fails.`,
    )
  }
}

/** An object literal, or a module namespace (`export * as handlers from …`). */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** What came in place of what was expected, for a message. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Promise) return 'a promise'
  return typeof value === 'object' ? 'an object of another kind' : `a ${typeof value}`
}
