import { Router } from 'express'
import type { Inbox } from '../inbox/inbox.ts'

/** `GET /healthz`: the process lives. `GET /readyz`: it takes deliveries now, or 503 with the reason. */
export function createHealthRoutes({
  inbox,
  isDraining,
}: {
  readonly inbox: Inbox
  readonly isDraining: () => boolean
}): Router {
  const router = Router()
  router.get('/healthz', (_req, res) => {
    res.json({ status: 'alive' })
  })
  router.get('/readyz', async (_req, res) => {
    const reason = isDraining() ? 'draining' : await describeStoreFault(inbox)
    if (reason === undefined) res.json({ status: 'ready' })
    else res.status(503).json({ status: 'not ready', reason })
  })
  return router
}

async function describeStoreFault(inbox: Inbox): Promise<string | undefined> {
  try {
    await inbox.check()
    return undefined
  } catch {
    return 'the inbox does not take entries'
  }
}
