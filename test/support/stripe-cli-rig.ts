import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Inbox } from '../../src/inbox/inbox.ts'
import { openSqliteInbox } from '../../src/inbox/sqlite/inbox.ts'
import { eventually } from './eventually.ts'
import { makeScratch } from './scratch.ts'
import { type ServerProcess, spawnServer } from './spawn-server.ts'
import { type StripeApiDouble, startStripeApiDouble } from './stripe-api-double.ts'
import { type CliPlace, type StripeCli, startListening } from './stripe-cli.ts'
import { type CliResponse, type StripeCliDouble, startStripeCliDouble } from './stripe-cli-double.ts'
import { type Outside, startOutside } from './stripe-cli-outside.ts'

/** Stripe's two faces, the unmodified CLI and the real server, joined as on a developer's machine. */
export interface StripeCliRig {
  /** Sends events to the CLI. */
  readonly stripe: StripeCliDouble
  /** Answers what handlers fetch. */
  readonly api: StripeApiDouble
  readonly outside: Outside
  /** For every run of the CLI. */
  readonly place: CliPlace
  /** Starts the server with no secret but those of its `.env`; again after it was killed, on the port it had. */
  startServer(secret: string, env?: Readonly<Record<string, string>>): Promise<ServerProcess>
  /** Ends the server at once, as a crash does. */
  killServer(): Promise<void>
  /** Runs `stripe listen` with the arguments until the rig closes. */
  listen(...args: readonly string[]): Promise<StripeCli>
  /** What the CLI told of these events, once it has told of all; in order of arrival. */
  responsesTo(eventIds: readonly string[]): Promise<CliResponse[]>
  /** Reads the inbox beside the server, or after it. */
  withInbox<T>(read: (inbox: Inbox) => Promise<T>): Promise<T>
  /** Ends everything that was started; gives the CLIs' exit codes. */
  close(): Promise<(number | null)[]>
}

/** Starts all but the server and the CLI, in a folder of their own. */
export async function createStripeCliRig(): Promise<StripeCliRig> {
  const scratch = await makeScratch()
  const [folder, home] = [join(scratch.path, 'server'), join(scratch.path, 'home')]
  await Promise.all([mkdir(folder), mkdir(home)])
  const [stripe, api, outside] = await Promise.all([startStripeCliDouble(), startStripeApiDouble(), startOutside()])
  const place = { home, apiBase: stripe.url, apiKey: stripe.key, proxyUrl: outside.url }
  const clis: StripeCli[] = []
  let server: ServerProcess | undefined
  let port = '0'

  async function killServer(): Promise<void> {
    server?.kill('SIGKILL')
    await server?.exited
  }

  return {
    stripe,
    api,
    outside,
    place,
    killServer,
    async startServer(secret, env = {}) {
      await writeFile(join(folder, '.env'), describeEnvironment(secret, api))
      server = await spawnServer({ folder, env: { PORT: port, ...env }, through: withoutSecrets })
      port = new URL(server.url).port
      return server
    },
    async listen(...args) {
      const cli = await startListening(place, args)
      clis.push(cli)
      return cli
    },
    responsesTo(eventIds) {
      const wanted = new Set(eventIds)
      return eventually(`the CLI's responses to ${eventIds.length} deliveries`, () => {
        const found = stripe.responses.filter((response) => wanted.has(response.notification_id))
        return found.length >= eventIds.length && found
      })
    },
    async withInbox(read) {
      const inbox = await openSqliteInbox(join(folder, 'data', 'inbox.db'), 'command')
      try {
        return await read(inbox)
      } finally {
        await inbox.close()
      }
    },
    async close() {
      const codes = await Promise.all(clis.map((cli) => cli.stop()))
      await killServer()
      await Promise.all([stripe.close(), api.close(), outside.close()])
      await scratch.remove()
      return codes
    },
  }
}

/** Takes away what every spawned server is given otherwise. */
const withoutSecrets = ['env', '-u', 'STRIPE_WEBHOOK_SECRET', '-u', 'STRIPE_CONNECT_WEBHOOK_SECRET']

/** The CLI signs the events of all accounts with one secret. */
function describeEnvironment(secret: string, api: StripeApiDouble): string {
  return [
    `STRIPE_WEBHOOK_SECRET=${secret}`,
    `STRIPE_CONNECT_WEBHOOK_SECRET=${secret}`,
    `STRIPE_API_KEY=${api.key}`,
    `STRIPE_API_BASE=${api.url}`,
    'RECONCILE_MINUTES=0',
    '',
  ].join('\n')
}
