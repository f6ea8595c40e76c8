import type { RequestListener } from 'node:http'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import { ReceiverError } from '../errors.ts'
import { createRefusals, type OnRefused, type Refusals } from './error-response.ts'
import { createHealthRoutes, type HealthOptions } from './health-routes.ts'
import { type BodyReaderOptions, createBodyReader } from './read-body.ts'
import { createWebhookRoute, type WebhookRouteOptions } from './webhook-route.ts'

export interface AppOptions extends WebhookRouteOptions, BodyReaderOptions, HealthOptions {
  readonly secrets: readonly string[]
  readonly connectSecrets: readonly string[]
  readonly onRefused: OnRefused
}

/** What a server answers with: requests, and what Node refuses before it is one. */
export type App = RequestListener & Pick<Refusals, 'onClientError'>

/** The public application: the two webhook routes, health, and nothing else. */
export function createApp(options: AppOptions): App {
  const app = createBareApp()
  const rawBody = createBodyReader({ ...options, sparesRequests: options.answering !== undefined })
  const account = createWebhookRoute(options, 'account', options.secrets, rawBody)
  const connect = createWebhookRoute(options, 'connect', options.connectSecrets, rawBody)
  app.route('/webhook').post(rawBody, account).all(refuseMethod)
  app.route('/webhook/connect').post(rawBody, connect).all(refuseMethod)
  return finishApp(app, options)
}

/** The public application of a process that takes no deliveries. */
export function createHealthApp(options: FinishOptions): App {
  return finishApp(createBareApp(), options)
}

/** The application of the admin port: metrics, health, and the console where it is on. `renderMetrics` gives them in the text format of its content type. */
export function createAdminApp(options: FinishOptions & AdminOptions): App {
  const app = createBareApp()
  app.get('/', (_req, res) => res.redirect(303, '/console'))
  app.use('/console', options.console ?? tellHowToTurnOn)
  app.get('/metrics', async (_req, res) => {
    const { contentType, text } = await options.renderMetrics()
    res.type(contentType).send(text)
  })
  return finishApp(app, options)
}

interface AdminOptions {
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly text: string }>
  /** Without it, its address tells how to turn it on. */
  readonly console?: RequestHandler | undefined
}
type FinishOptions = HealthOptions & Pick<AppOptions, 'log'> & Partial<Pick<AppOptions, 'onRefused'>>

function createBareApp(): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  return app
}

function finishApp(app: Express, options: FinishOptions): App {
  const { respond, onClientError } = createRefusals(options)
  const onError: ErrorRequestHandler = (error, req, res, next) => {
    if (res.headersSent) next(error)
    else respond(error, req, res)
  }
  app.use(dropBody, createHealthRoutes(options))
  app.use((req) => {
    throw new ReceiverError('not_found', `There is no ${req.path}.`)
  })
  app.use(onError)
  const handle: RequestListener = (req, res) => {
    if (req.url?.startsWith('/') || URL.canParse(req.url ?? '')) app(req, res)
    // Express's own answer to these is a page.
    else respond(new ReceiverError('not_found', 'Its target is no URL.'), req, res)
  }
  return Object.assign(handle, { onClientError })
}

/** One that waits to be read until its request is answered takes 430 bytes for each, where it comes byte by byte. */
const dropBody: RequestHandler = (req, _res, next) => {
  req.resume()
  next()
}

const tellHowToTurnOn: RequestHandler = (_req, res) => {
  const text =
    'The console is off. To turn it on, set CONSOLE_PASSWORD to 16 characters or more, and start the server again.\n'
  res.status(404).set('X-Content-Type-Options', 'nosniff').type('text/plain').send(text)
}

const refuseMethod: RequestHandler = (req, res) => {
  res.set('Allow', 'POST')
  throw new ReceiverError('method_not_allowed', `${req.method} is not POST.`)
}
