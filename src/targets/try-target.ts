import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import { assertNotRefused, guardedLookup, RefusedAddress } from './guarded-lookup.ts'
import type { LoadedTarget } from './load.ts'

const DEFAULT_PORTS = { 'http:': 80, 'https:': 443 } as const

/**
 * Connects and sends nothing: whether its name leads somewhere, somebody listens, and the certificate fits. Undefined when all is well, else
 * why not. Goes past any proxy.
 */
export async function tryTarget({
  url,
  ca,
  timeoutMs,
}: Pick<LoadedTarget, 'url' | 'ca' | 'timeoutMs'>): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let socket: Socket | undefined
  const timer = setTimeout(() => reject(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs)
  try {
    assertNotRefused(url.hostname)
    const host = url.hostname.replace(/^\[|\]$/g, '')
    const isSecure = url.protocol === 'https:'
    const port = Number(url.port) || DEFAULT_PORTS[isSecure ? 'https:' : 'http:']
    const asked = { host, port, lookup: guardedLookup }
    socket = isSecure
      ? connectSecurely({ ...asked, rejectUnauthorized: true, ...(ca !== undefined && { ca }) }, resolve)
      : connect(asked, resolve)
    socket.once('error', reject)
    await promise
    return undefined
  } catch (error) {
    if (error instanceof RefusedAddress) return error.message
    const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
    return code ?? (error instanceof Error ? error.message : String(error))
  } finally {
    clearTimeout(timer)
    socket?.destroy()
  }
}
