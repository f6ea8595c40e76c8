import express, { type Express, type RequestHandler } from 'express'
import { ReceiverError } from '../errors.ts'
import { createErrorResponse, type OnRefused } from './error-response.ts'
import { createHealthRoutes, type HealthOptions } from './health-routes.ts'
import { type BodyReaderOptions, createBodyReader } from './read-body.ts'
import { createDrainingGuard, createWebhookRoute, type WebhookRouteOptions } from './webhook-route.ts'

export interface AppOptions extends WebhookRouteOptions, BodyReaderOptions, HealthOptions {
  readonly secrets: readonly string[]
  readonly connectSecrets: readonly string[]
  readonly onRefused: OnRefused
}

/** The public application: the two webhook routes, health, and nothing else. */
export function createApp(options: AppOptions): Express {
  const app = createBareApp()
  const guard = createDrainingGuard(options.isDraining)
  const rawBody = createBodyReader(options)
  const account = createWebhookRoute(options, 'account', options.secrets)
  const connect = createWebhookRoute(options, 'connect', options.connectSecrets)
  app.route('/webhook').post(guard, rawBody, account).all(refuseMethod)
  app.route('/webhook/connect').post(guard, rawBody, connect).all(refuseMethod)
  return finishApp(app, options)
}

/** The public application of a process that takes no deliveries. */
export function createHealthApp(options: FinishOptions): Express {
  return finishApp(createBareApp(), options)
}

/** The application of the admin port: metrics and health. `renderMetrics` gives them in the text format of its content type. */
export function createAdminApp(options: FinishOptions & { readonly renderMetrics: RenderMetrics }): Express {
  const app = createBareApp()
  app.get('/metrics', async (_req, res) => {
    const { contentType, text } = await options.renderMetrics()
    res.type(contentType).send(text)
  })
  return finishApp(app, options)
}

type RenderMetrics = () => Promise<{ readonly contentType: string; readonly text: string }>
type FinishOptions = HealthOptions & Pick<AppOptions, 'log'> & Partial<Pick<AppOptions, 'onRefused'>>

function createBareApp(): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  return app
}

function finishApp(app: Express, options: FinishOptions): Express {
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
