import { parseConfig, readEnvironment } from './config.ts'
import { ReceiverError } from './errors.ts'
import { createLog, describeError, redact } from './log.ts'
import { createService } from './service.ts'

try {
  const config = parseConfig(readEnvironment())
  const log = await createLog(config.logLevel)
  // A stray failure of a handler's own making: the state is unknown, so end; its leases are free at the next start.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'uncaught failure, probably of a handler that did not await; exiting')
    process.exit(1)
  })
  const service = await createService(config, {
    log,
    onStuck(facts) {
      log.fatal(facts, 'a handler has held its place for too long after its time limit; stopping, to be started again')
      void service.stop().then(() => process.exit(1))
    },
  })

  let isStopping = false
  const stop = async (signal: NodeJS.Signals) => {
    if (isStopping) process.exit(1)
    isStopping = true
    log.info({ signal }, 'stopping; a second signal exits at once')
    await service.stop()
    log.info('stopped')
    process.exit(0)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)

  log.info({ url: `${service.url}/webhook`, admin: service.adminUrl, role: config.role }, 'listening')
  const command = `stripe listen --all-snapshot --forward-to ${service.url}/webhook`
  log.info({ command }, 'to send it events from a sandbox, run this')
  log.info(
    { url: 'https://<your host>/webhook' },
    'to send it events from production, add this as a destination in Workbench',
  )
} catch (error) {
  // What is expected says itself what to do; anything else is a bug, and its stack helps.
  console.error(error instanceof ReceiverError ? redact(error.message) : describeError(error))
  process.exit(1)
}
