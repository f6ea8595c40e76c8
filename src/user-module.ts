import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describeError } from './log.ts'

export type ModuleExports = Readonly<Record<string, unknown>>

/**
 * Imports a module of the user's.
 * @param modulePath a `.ts`, `.js` or `.mjs` file, absolute or relative to the working directory
 * @param variable the one that names it
 * @param toError of what to say when it is no file, or fails to load
 */
export async function importUserModule(
  modulePath: string,
  variable: string,
  toError: (message: string) => Error,
): Promise<ModuleExports> {
  const path = resolve(modulePath)
  const stats = await stat(path).catch(() => undefined)
  if (!stats?.isFile()) {
    const found = stats ? 'is not a file' : 'does not exist'
    throw toError(
      `${variable} must name a file, but ${path} ${found}. Give its absolute path, or one relative to ${process.cwd()}.`,
    )
  }
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    // Only what may be said of it, not the error: its fields are foreign.
    const { name, message } = describeError(error)
    throw toError(
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

/** In words, for messages. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (value instanceof Promise) return 'a promise'
  return typeof value === 'object' ? 'an object of another kind' : `a ${typeof value}`
}
