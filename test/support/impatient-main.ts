import { parseConfig, readEnvironment } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { createService } from '../../src/service.ts'

/**
 * As `src/main.ts`, but for the time that the event loop may stand still beyond a handler's time limit: a test waits for no more. A
 * signal ends it at once.
 */
const STANDSTILL_MARGIN_MS = 1_000

const config = parseConfig(readEnvironment())
const log = await createLog(config.logLevel)
const service = await createService(config, { log, standstillMarginMs: STANDSTILL_MARGIN_MS })
log.info({ url: `${service.url}/webhook`, admin: service.adminUrl, role: config.role }, 'listening')
