import { styleText } from 'node:util'
import { compareDestinations } from '../../destinations/compare.ts'
import { findDestinations } from '../../destinations/find.ts'
import type { Finding } from '../../destinations/finding.ts'
import { checkClock, checkSetup } from '../../destinations/setup.ts'
import { loadHandlers } from '../../handlers/load.ts'
import { createStripeClients } from '../../stripe/client.ts'
import { readSettings, type Settings } from '../settings.ts'
import { toOneLine } from '../terminal/table.ts'
import type { DoctorOptions } from './options.ts'
import { pingDestinations } from './ping.ts'

/** Prints what it finds as it finds it. False when there is a fault. */
export async function runDoctor(options: DoctorOptions): Promise<boolean> {
  const settings = readSettings()
  const counts = { fault: 0, warning: 0, ok: 0 }
  const report = (findings: readonly Finding[]) => {
    for (const finding of findings) {
      counts[finding.severity] += 1
      process.stdout.write(`${options.json ? JSON.stringify(finding) : formatFinding(finding)}\n`)
    }
  }
  const { handlers } = await loadHandlers(settings.handlersPath)
  report(checkSetup(settings))
  if (settings.apiKey !== undefined) {
    const clients = createStripeClients({ apiKey: settings.apiKey, apiBase: settings.apiBase })
    const client = clients.clientOf(null)
    const found = await findDestinations(client)
    report([...checkClock(found.clockAheadMs), ...found.failures])
    if (found.isRead) {
      const handled = {
        handledTypes: Object.keys(handlers.map),
        yieldingTypes: handlers.yielding,
        hasFallback: handlers.fallback !== undefined,
      }
      const expected = { ...pickExpected(settings), ...handled, apiVersion: clients.apiVersion, url: options.url }
      report(compareDestinations(found.destinations, expected))
      if (options.ping) report(await pingDestinations(client, found.destinations, options))
    }
  }
  if (!options.json) process.stdout.write(`\n${summarize(counts)}\n`)
  return counts.fault === 0
}

function pickExpected({ hasConnectSecret, twins }: Settings): Pick<Settings, 'hasConnectSecret' | 'twins'> {
  return { hasConnectSecret, twins }
}

const colors = { fault: 'red', warning: 'yellow', ok: 'green' } as const
const WIDTH = 'warning'.length

/** Its line, and its mend below, indented. */
function formatFinding({ severity, message, mend }: Finding): string {
  const line = `${styleText(colors[severity], severity.padEnd(WIDTH))}  ${toOneLine(message)}`
  return mend === undefined ? line : `${line}\n${' '.repeat(WIDTH + 2)}→ ${toOneLine(mend)}`
}

function summarize({ fault, warning }: Readonly<Record<Finding['severity'], number>>): string {
  const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`
  if (fault + warning === 0) return 'all is well'
  return `${count(fault, 'fault')}, ${count(warning, 'warning')}`
}
