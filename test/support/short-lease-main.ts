import { parseConfig, readEnvironment } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { createService } from '../../src/service.ts'

/** As `src/main.ts`, but leases end soon after an attempt's time is over: a test waits for no more. A signal ends it at once. */
const LEASE_MARGIN_MS = 700

const config = parseConfig(readEnvironment())
const log = await createLog(config.logLevel)
const service = await createService(config, { log, leaseMarginMs: LEASE_MARGIN_MS })
log.info({ url: `${service.url}/webhook`, admin: service.adminUrl, role: config.role }, 'listening')
