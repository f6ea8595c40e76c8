import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Inbox } from '../../src/inbox/inbox.ts'

/** A commit's files with their dependencies. Each is measured with its own: server, store, command line and migrations. */
export interface Checkout {
  /** Absolute. */
  readonly folder: string
}

export interface Checkouts {
  readonly this: Checkout
  /** The one of --against. */
  readonly before: Checkout | undefined
}

type OpenInbox = typeof import('../../src/inbox/open-inbox.ts').openInbox

/** This checkout, and the one in that folder; throws with what is missing there. */
export function findCheckouts(against?: string): Checkouts {
  const own = { folder: fileURLToPath(new URL('../../', import.meta.url)) }
  if (against === undefined) return { this: own, before: undefined }
  const folder = resolve(against)
  for (const path of ['src/main.ts', 'node_modules']) {
    if (!existsSync(join(folder, path)))
      throw new Error(
        `${join(folder, path)} is missing: --against takes a checkout after \`npm ci\`; --help has a recipe`,
      )
  }
  return { this: own, before: { folder } }
}

/** That checkout's `openInbox`, which knows its schema. */
export async function loadOpenInbox({ folder }: Checkout): Promise<OpenInbox> {
  // Only commits whose Inbox has the methods that are called here can be measured beside this one.
  const { openInbox }: { openInbox: OpenInbox } = await import(join(folder, 'src/inbox/open-inbox.ts'))
  return openInbox
}

/** Opens an inbox with that checkout's store, and closes it after use. */
export async function withInbox<T>(
  checkout: Checkout,
  url: string,
  as: 'server' | 'command',
  use: (inbox: Inbox) => Promise<T>,
): Promise<T> {
  const openInbox = await loadOpenInbox(checkout)
  const inbox = await openInbox(url, as)
  try {
    return await use(inbox)
  } finally {
    await inbox.close()
  }
}
