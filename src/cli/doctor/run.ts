import { styleText } from 'node:util'
import { checkAccess } from '../../destinations/access.ts'
import { compareDestinations } from '../../destinations/compare.ts'
import { findDestinations } from '../../destinations/find.ts'
import type { Finding } from '../../destinations/finding.ts'
import { checkClock, checkSetup } from '../../destinations/setup.ts'
import { findSites } from '../../destinations/sites.ts'
import { createStripeClients } from '../../stripe/client.ts'
import { loadHandledTypes } from '../handled-types.ts'
import { readSettings } from '../settings.ts'
import { toOneLine } from '../terminal/table.ts'
import { tryAlert } from './alert.ts'
import type { DoctorOptions } from './options.ts'
import { pingDestinations } from './ping.ts'
import { tryTargets } from './targets.ts'

/** Prints what it finds as it finds it. False when there is a fault. */
export async function runDoctor(options: DoctorOptions): Promise<boolean> {
  const counts = { fault: 0, warning: 0, ok: 0 }
  const report = (findings: readonly Finding[]) => {
    for (const finding of findings) {
      counts[finding.severity] += 1
      process.stdout.write(`${options.json ? JSON.stringify(finding) : formatFinding(finding)}\n`)
    }
  }
  if (options.alert) report([await tryAlert()])
  else if (options.targets) report(await tryTargets())
  else await checkAll(options, report)
  if (!options.json) process.stdout.write(`\n${summarize(counts)}\n`)
  return counts.fault === 0
}

async function checkAll(options: DoctorOptions, report: (findings: readonly Finding[]) => void): Promise<void> {
  const settings = readSettings()
  const handled = await loadHandledTypes(settings)
  report(checkSetup(settings))
  if (settings.apiKey !== undefined) {
    const clients = createStripeClients({ apiKey: settings.apiKey, apiBase: settings.apiBase })
    const client = clients.clientOf(null)
    const found = await findDestinations(client)
    report([...checkClock(found.clockAheadMs), ...found.failures])
    if (found.isRead) {
      report(await checkAccess(client, handled.handledTypes, findSites(found.destinations, options.url)))
      const { hasConnectSecret, twins } = settings
      const { isComplete } = found
      const facts = { hasConnectSecret, twins, isComplete, apiVersion: clients.apiVersion, url: options.url }
      report(compareDestinations(found.destinations, { ...handled, ...facts }))
      if (options.ping) report(await pingDestinations(client, found.destinations, options))
    }
  }
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
