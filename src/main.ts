import { findMisspelt, parseConfig, readEnvironment } from './config.ts'
import { ReceiverError } from './errors.ts'
import { createProcessLog, describeError, redact } from './log.ts'
import { createService, type Service } from './service.ts'

const SECOND_SIGNAL_AFTER_MS = 1_000

let service: Service | undefined
try {
  const environment = readEnvironment()
  const config = parseConfig(environment)
  const { log, exit } = await createProcessLog(config.logLevel)
  // A stray failure of a handler's own making: the state is unknown, so end; its leases are free at the next start.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught failure, probably of a handler that did not await; exiting')
    // Stripe asks for a decision once.
    void Promise.resolve(service?.whenLastReplied()).then(() => exit(1))
  })
  service = await createService(config, {
    log,
    onStuck(facts) {
      log.fatal(facts, 'a handler has held its place for too long after its time limit; stopping, to be started again')
      void service?.stop().then(() => exit(1))
    },
  })

  let stoppingSince: number | undefined
  const stop = async (signal: NodeJS.Signals) => {
    if (stoppingSince !== undefined) {
      // Under npm, Ctrl-C comes from the terminal and from npm.
      if (performance.now() - stoppingSince > SECOND_SIGNAL_AFTER_MS) process.exit(1)
      return
    }
    stoppingSince = performance.now()
    log.info({ signal }, 'stopping; a second signal, a second later, exits at once')
    if (!(await service?.stop())) {
      log.error('not everything had ended within SHUTDOWN_TIMEOUT_MS; what was running runs again')
      return exit(1)
    }
    log.info('stopped')
    await exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)

  const { url, address, adminUrl: admin } = service
  log.info({ url: config.role === 'work' ? url : `${url}/webhook`, address, admin, role: config.role }, 'listening')
  const misspelt = findMisspelt(environment)
  if (misspelt.length > 0) log.warn({ variables: misspelt }, 'these variables are no settings: misspelt?')
  if (config.role === 'receive' && config.databaseUrl.startsWith('file:'))
    log.warn(
      'ROLE=receive on a file handles nothing until a server with ROLE=all is started on it in place of this one',
    )
  if (config.role !== 'work') {
    const toConnect = config.connectWebhookSecrets.length > 0 ? ` --forward-connect-to ${url}/webhook/connect` : ''
    const command = `stripe listen --all-snapshot --forward-to ${url}/webhook${toConnect}`
    log.info({ command }, 'to send it events from a sandbox, run this')
    log.info(
      { url: 'https://<your host>/webhook' },
      'to send it events from production, add this as a destination in Workbench',
    )
  }
} catch (error) {
  // What is expected says itself what to do; anything else is a bug, and its stack helps.
  console.error(error instanceof ReceiverError ? redact(error.message) : describeError(error))
  process.exit(1)
}
