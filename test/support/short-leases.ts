import { parseConfig, readEnvironment } from '../../src/config.ts'
import { createLog } from '../../src/log.ts'
import { createService } from '../../src/service.ts'

/** What a lease has beyond its attempt's time limit here: a test of what comes after it waits for no more. */
export const LEASE_MARGIN_MS = 2_000

/** As `src/main.ts`, but for that; a signal ends it at once. */
async function main(): Promise<void> {
  const config = parseConfig(readEnvironment())
  const log = await createLog(config.logLevel)
  const service = await createService(config, { log, leaseMarginMs: LEASE_MARGIN_MS })
  log.info({ url: `${service.url}/webhook`, admin: service.adminUrl, role: config.role }, 'listening')
}

if (import.meta.main) await main()
