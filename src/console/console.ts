import { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router, text } from 'express'
import { ReceiverError } from '../errors.ts'
import { scrub } from '../log.ts'
import { loadAssets } from './assets.ts'
import { createAuthentication, operatorOf } from './authenticate.ts'
import { dropCause, holdNamed, replayCause, replayOneForward, resumeNamed } from './change-target.ts'
import type { Answer, Context, Page, Visit } from './context.ts'
import { createFeed, type Feed } from './feed.ts'
import { createGuard, type GuardOptions } from './guard.ts'
import { hold, resume } from './hold.ts'
import { html } from './html.ts'
import { layOut } from './layout.ts'
import { cancelAction, showAction } from './pages/action.ts'
import { showActions } from './pages/actions.ts'
import { showPreview } from './pages/change.ts'
import { showEntry } from './pages/entry.ts'
import { showEvents } from './pages/events.ts'
import { showFailures } from './pages/failures.ts'
import { showLive } from './pages/live.ts'
import { showOverview } from './pages/overview.ts'
import { showTarget, showTargets } from './pages/targets.ts'
import { sendPayload } from './payload.ts'
import { replayEntry } from './replay.ts'
import { startChange } from './start-change.ts'
import { createTails } from './tails.ts'

export interface ConsoleOptions extends Context, Pick<GuardOptions, 'hosts'> {
  readonly password: string
}

/** What a server joins the console by. */
export interface Console extends Pick<Feed, 'onRefused' | 'onAttemptEnded'> {
  /** The pages for operators, for `/console` of the admin port. */
  readonly pages: RequestHandler
  /** Ends what goes on by itself, and would keep a server from ending. */
  stop(): void
}

/** Reads what pages load; nothing goes on by itself until somebody looks. */
export async function createConsole(options: ConsoleOptions): Promise<Console> {
  const feed = createFeed(options.inbox)
  const tails = createTails(feed, options.log)
  const assets = await loadAssets()
  const router = Router()
  const visitOf = async (req: Request, res: Response): Promise<Visit> => ({
    context: options,
    operator: operatorOf(res),
    query: readFields(new URL(req.originalUrl, 'http://console').search),
    form: readFields(typeof req.body === 'string' ? req.body : ''),
    // A page that cannot tell shows what it can, or why it cannot.
    hold: await options.inbox.held().catch(() => null),
    hasTargets: options.targets.length > 0 || (await isAnythingForwarded(options.inbox)),
  })
  const answer = (make: (visit: Visit) => Promise<Answer>) => async (req: Request, res: Response) => {
    const visit = await visitOf(req, res)
    const made = await make(visit)
    if ('location' in made) res.redirect(303, made.location)
    else send(res, visit, made)
  }
  const send = (res: Response, visit: Visit, page: Page) =>
    res
      .status(page.status ?? 200)
      .type('html')
      .send(layOut(visit, assets, page))

  router.use(createGuard(options), createAuthentication(options))
  router.get('/assets/:version/:name', assets.serve)
  router.get('/', answer(showOverview))
  router.get('/events', answer(showEvents))
  router.get('/event', answer(showEntry))
  router.get('/payload', async (req, res) => sendPayload(await visitOf(req, res), res))
  router.get('/failures', answer(showFailures))
  router.get('/targets', answer(showTargets))
  router.get('/target', answer(showTarget))
  router.get(
    '/live',
    answer(() => showLive(feed, tails)),
  )
  router.get('/live/stream', tails.serve)
  router.get('/actions', answer(showActions))
  router.get('/action', answer(showAction))
  router.post('/cancel', answer(cancelAction))
  router.get('/change', answer(showPreview))
  router.post('/change', readForm, answer(startChange))
  router.post('/replay', answer(replayEntry))
  router.post('/replay-forward', answer(replayOneForward))
  router.post('/replay-forwards', answer(replayCause))
  router.post('/drop-forwards', answer(dropCause))
  router.post('/target/hold', readForm, answer(holdNamed))
  router.post('/target/resume', answer(resumeNamed))
  router.post('/hold', readForm, answer(hold))
  router.post('/resume', answer(resume))
  router.use(answer(async () => missing))
  const onError: ErrorRequestHandler = async (error, req, res, next) => {
    if (res.headersSent) return next(error)
    send(res, await visitOf(req, res), explain(options, error))
  }
  router.use(onError)
  return { pages: router, onRefused: feed.onRefused, onAttemptEnded: feed.onAttemptEnded, stop: tails.stop }
}

/** But for NUL, which no text of Postgres may hold. */
const readFields = (text: string) => new URLSearchParams(text.replaceAll('\0', '').replaceAll('%00', ''))

// Compressed ones are refused: a small one could grow large.
const readForm = text({ type: 'application/x-www-form-urlencoded', limit: '4kb', inflate: false })

const isAnythingForwarded = (inbox: Context['inbox']) =>
  inbox.forwards.counts().then(
    (counts) => counts.length > 0,
    () => false,
  )

const missing: Page = { title: 'Not found', status: 404, body: html`<h1>There is no such page</h1>` }

/** What is expected says itself what to do; anything else is a bug, of which the log has more. */
function explain({ log }: Context, error: unknown): Page {
  const status = statusOf(error)
  if (status !== undefined) {
    const body = html`<h1>This request cannot be read</h1>
<p>A path that can be decoded is expected, and a form as these pages send it: 4 KB at most, in UTF-8, not compressed.</p>`
    return { title: 'Refused', status, body }
  }
  if (!(error instanceof ReceiverError)) {
    log.error({ err: error }, 'a page of the console failed unexpectedly')
    return { title: 'Failed', status: 500, body: html`<h1>This page has a fault</h1><p>The log has its cause.</p>` }
  }
  const body = html`<h1>The inbox does not answer now</h1><p>${scrub(error.message)}</p>`
  return { title: 'The inbox does not answer', status: 503, body }
}

/** Of what Express and its readers of bodies refuse: the sender's fault. Undefined for anything else. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return undefined
  return error.status >= 400 && error.status < 500 ? error.status : undefined
}
