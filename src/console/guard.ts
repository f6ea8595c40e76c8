import { isIPv6 } from 'node:net'
import type { Request, RequestHandler } from 'express'
import { refuse } from './refuse.ts'

export interface GuardOptions {
  /** ADMIN_HOST, and ADMIN_ALLOWED_HOSTS. */
  readonly hosts: readonly string[]
  readonly isReadOnly: boolean
}

/** Fixed for every answer: nothing from elsewhere runs in a page, and no other page may hold, embed or read one. */
const headers = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'X-Content-Type-Options': 'nosniff',
  // With `no-referrer` a browser sends `Origin: null` along with a form, which over plain HTTP is all that tells where it comes from.
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
} as const

/**
 * In front of the password: who asks by a foreign name, or from another site, is refused, since a browser sends the password by
 * itself wherever a page leads it. There are no tokens: the browser's own headers tell where a request comes from.
 */
export function createGuard({ hosts, isReadOnly }: GuardOptions): RequestHandler {
  const allowed = new Set(hosts.map((host) => hostnameOf(isIPv6(host) ? `[${host}]` : host)))
  return (req, res, next) => {
    res.set(headers)
    const host = hostnameOf(req.headers.host ?? '')
    if (!isLoopback(host) && !allowed.has(host))
      return refuse(res, 403, 'The console does not go by this name: if it should, add it to ADMIN_ALLOWED_HOSTS.')
    if (req.method === 'GET' || req.method === 'HEAD') {
      if (isForeignRead(req)) return refuse(res, 403, 'The console is not there for other sites.')
      return next()
    }
    if (req.method !== 'POST') return refuse(res.set('Allow', 'GET, HEAD, POST'), 405, 'Only GET, HEAD and POST.')
    if (isForeignAction(req)) return refuse(res, 403, 'What the console does is asked for on its own pages only.')
    if (isReadOnly) return refuse(res, 403, 'This console only shows: CONSOLE_READ_ONLY is 1.')
    next()
  }
}

/** Without the port, which a proxy or Docker may have changed; empty when it is none. */
function hostnameOf(host: string): string {
  // What else a URL may hold stands in no Host header.
  return /[/?#@\\]/.test(host) ? '' : (URL.parse(`http://${host}`)?.hostname ?? '')
}

const isLoopback = (host: string) => host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** A link on another site may lead here, where a person sees it. Other ports of this machine are of the same site, and as foreign. */
function isForeignRead({ headers: sent }: Request): boolean {
  const site = sent['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return false
  return sent['sec-fetch-mode'] !== 'navigate' || sent['sec-fetch-dest'] !== 'document'
}

/** Browsers tell the site to addresses that they trust, https and loopback; the origin to all. */
function isForeignAction({ headers: sent }: Request): boolean {
  const site = sent['sec-fetch-site']
  if (site !== undefined) return site !== 'same-origin'
  return sent.host === undefined || URL.parse(sent.origin ?? '')?.host !== URL.parse(`http://${sent.host}`)?.host
}
