import { readdirSync, readFileSync } from 'node:fs'

/** The statements of each `.sql` file in the folder, in the order of their names: the first brings a store to schema 1. */
export function readMigrations(folder: URL): string[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql'))
  return names.sort().map((name) => readFileSync(new URL(name, folder), 'utf8'))
}
