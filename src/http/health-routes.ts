import { Router } from 'express'
import type { Inbox } from '../inbox/inbox.ts'
import type { WebhookRouteOptions } from './webhook-route.ts'

export interface HealthOptions extends Pick<WebhookRouteOptions, 'answering'> {
  readonly inbox: Pick<Inbox, 'check'>
  readonly isDraining: () => boolean
  /** What runs handlers: why nothing is handled, and whether this process is there for nothing else. */
  readonly worker?: { describeFault(): string | undefined; readonly isAll: boolean }
}

/** `GET /healthz`: the process lives. `GET /readyz`: it does its work now, or 503 with the reason. */
export function createHealthRoutes({ inbox, isDraining, worker, answering }: HealthOptions): Router {
  const router = Router()
  const describeStoreFault = createStoreProbe(inbox)
  router.get('/healthz', (_req, res) => {
    res.json({ status: 'alive' })
  })
  router.get('/readyz', async (_req, res) => {
    const isStopping = isDraining()
    const store = isStopping ? undefined : await describeStoreFault()
    const faults = { store, worker: worker?.describeFault() }
    // A proxy that takes every process for down would keep from them what each could answer.
    const storeFault = answering === undefined ? store : undefined
    const reason = isStopping ? 'draining' : (storeFault ?? (worker?.isAll ? faults.worker : undefined))
    if (reason === undefined) res.json({ status: 'ready', ...faults })
    else res.status(503).json({ status: 'not ready', reason })
  })
  return router
}

/** All that ask at a time share one look: anyone may ask, and each look would wait in line with deliveries. */
function createStoreProbe(inbox: HealthOptions['inbox']): () => Promise<string | undefined> {
  let underWay: Promise<string | undefined> | undefined
  async function look(): Promise<string | undefined> {
    try {
      await inbox.check()
      return undefined
    } catch {
      return 'the inbox does not take entries'
    }
  }
  return () =>
    (underWay ??= look().finally(() => {
      underWay = undefined
    }))
}
