import { setTimeout as delay } from 'node:timers/promises'
import type { BenchInbox } from './bench-inbox.ts'
import { type Checkout, withInbox } from './checkout.ts'
import { CUSTOMERS } from './deliveries.ts'
import type { ServerProcess } from './server-process.ts'
import { BUSY_ACCOUNT, customerOf } from './varied-entries.ts'

/** For CONSOLE_PASSWORD. */
export const CONSOLE_PASSWORD = 'bench-console-password'

/** From one page to the next: an operator who clicks fast, and never stops. */
const PAUSE_MS = 50
const DIFFERENT_IDS = 50

/** Pages by how they are called: the address of the nth look at each. */
export type Pages = ReadonlyMap<string, (nth: number) => string>

/** How long a page took, to its end. */
export interface Look {
  readonly page: string
  readonly ms: number
}

/** Every page that only shows, of a filled inbox; nothing but the first fifty of its events has to be looked for. */
export async function findPages(checkout: Checkout, { url }: BenchInbox): Promise<Pages> {
  const dead = await withInbox(checkout, url, 'command', (inbox) =>
    inbox.list({ states: ['dead'] }, { limit: DIFFERENT_IDS }),
  )
  const nthOf = (nth: number) => {
    const entry = dead[nth % dead.length]
    if (entry === undefined) throw new Error('the inbox has no dead entry to look at')
    return entry
  }
  const fixed = [
    '',
    '/events',
    '/events?state=dead',
    '/events?state=dead,unhandled,parked',
    '/events?since=1h',
    '/failures',
  ]
  return new Map<string, (nth: number) => string>([
    ...fixed.map((page) => [page, () => page] as const),
    ['/events?object', (nth) => `/events?object=${nthOf(nth).objectId}`],
    ['/events?id', (nth) => `/events?id=${nthOf(nth).eventId}`],
    ['/events?value', (nth) => `/events?value=${customerOf((nth * 7) % CUSTOMERS)}`],
    ['/events?account', () => `/events?account=${BUSY_ACCOUNT}`],
    ['/event', (nth) => `/event?id=${nthOf(nth).eventId}`],
  ])
}

/** A search that no index serves, and that finds nothing. */
export const UNINDEXED: Pages = new Map([['/events?type', () => '/events?type=nothing.*']])

/** Looks at each page once, one after the other. */
export async function lookAtEach({ adminPort }: ServerProcess, pages: Pages, nth: number): Promise<Look[]> {
  const looks: Look[] = []
  for (const [page, pathOf] of pages) {
    const startedAt = performance.now()
    await readPage(`http://127.0.0.1:${adminPort}/console${pathOf(nth)}`)
    looks.push({ page, ms: performance.now() - startedAt })
    await delay(PAUSE_MS)
  }
  return looks
}

const authorization = `Basic ${Buffer.from(`bench:${CONSOLE_PASSWORD}`).toString('base64')}`

async function readPage(url: string): Promise<void> {
  const response = await fetch(url, { headers: { authorization }, redirect: 'manual' })
  const text = await response.text()
  if (response.status !== 200 || !text.endsWith('</html>\n'))
    throw new Error(`expected a whole page at ${url}, got ${response.status} with ${text.length} characters`)
}
