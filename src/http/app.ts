import express, { type Express, type RequestHandler, raw } from 'express'
import { ReceiverError } from '../errors.ts'
import type { Inbox } from '../inbox/inbox.ts'
import type { Log } from '../log.ts'
import { createErrorResponse } from './error-response.ts'
import { createHealthRoutes } from './health-routes.ts'
import { createDrainingGuard, createWebhookRoute, type WebhookRouteOptions } from './webhook-route.ts'

export interface AppOptions extends WebhookRouteOptions {
  readonly secrets: readonly string[]
  readonly connectSecrets: readonly string[]
  readonly maxBodyBytes: number
  readonly isDraining: () => boolean
}

/** The public application: the two webhook routes, health, and nothing else. */
export function createApp(options: AppOptions): Express {
  const app = createBareApp()
  // The bytes as they came, whatever the content type says: they are what Stripe signed.
  const rawBody = raw({ type: () => true, limit: options.maxBodyBytes, inflate: false })
  const guard = createDrainingGuard(options.isDraining)
  const account = createWebhookRoute(options, 'account', options.secrets)
  const connect = createWebhookRoute(options, 'connect', options.connectSecrets)
  app.route('/webhook').post(guard, rawBody, account).all(refuseMethod)
  app.route('/webhook/connect').post(guard, rawBody, connect).all(refuseMethod)
  return finishApp(app, options)
}

/** The application of the admin port. */
export function createAdminApp(options: Pick<AppOptions, 'inbox' | 'isDraining' | 'log'>): Express {
  return finishApp(createBareApp(), options)
}

function createBareApp(): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  return app
}

function finishApp(app: Express, options: { inbox: Inbox; isDraining: () => boolean; log: Log }): Express {
  app.use(createHealthRoutes(options))
  app.use((req) => {
    throw new ReceiverError('not_found', `There is no ${req.path}.`)
  })
  app.use(createErrorResponse(options))
  return app
}

const refuseMethod: RequestHandler = (req, res) => {
  res.set('Allow', 'POST')
  throw new ReceiverError('method_not_allowed', `${req.method} is not POST.`)
}
