import { styleText } from 'node:util'
import type { Destination, Origin } from '../../destinations/destinations.ts'
import { findDestinations } from '../../destinations/find.ts'
import { checkSetup } from '../../destinations/setup.ts'
import { createStripeClients } from '../../stripe/client.ts'
import { readSettings } from '../settings.ts'
import { formatTable, headerRow, type Narrowing, type TableRow, terminalWidth } from '../terminal/table.ts'
import { writeFailure } from './failure.ts'

/** Prints the account's destinations. False when a list could not be read. */
export async function runDestinationList({ json }: { readonly json?: true }): Promise<boolean> {
  const settings = readSettings()
  if (settings.apiKey === undefined) {
    for (const finding of checkSetup({ ...settings, hasSecret: true })) writeFailure(finding)
    return false
  }
  const { apiKey, apiBase } = settings
  const { destinations, failures } = await findDestinations(createStripeClients({ apiKey, apiBase }).clientOf(null))
  for (const failure of failures) writeFailure(failure)
  const lines = json ? destinations.map((destination) => JSON.stringify(destination)) : formatDestinations(destinations)
  if (destinations.length > 0) process.stdout.write(`${lines.join('\n')}\n`)
  else if (failures.length === 0) process.stderr.write('There are no destinations.\n')
  return failures.every(({ severity }) => severity !== 'fault')
}

/** Where Stripe sends to says more than an id, which is known by its end. */
const narrowing: readonly Narrowing[] = [
  { leaveOut: 'API VERSION' },
  { leaveOut: 'TYPES' },
  { shorten: 'ID', to: 20 },
  { leaveOut: 'FROM' },
  { shorten: 'URL', to: 24 },
]

function formatDestinations(destinations: readonly Destination[]): string[] {
  const header = headerRow(['ID', 'URL', 'SHAPE', 'FROM', 'STATUS', 'API VERSION', 'TYPES'])
  return formatTable([header, ...destinations.map(toRow)], terminalWidth(), narrowing)
}

function toRow({ id, url, shape, from, isEnabled, apiVersion, types }: Destination): TableRow {
  const version = apiVersion ?? (shape === 'thin' ? '–' : 'account default')
  const count = types.includes('*') ? 'all' : String(types.length)
  return {
    cells: [id, url ?? 'no webhook', shape, origins[from], isEnabled ? 'enabled' : 'disabled', version, count],
    paint: (cells) => (isEnabled ? cells : styleText('yellow', cells)),
  }
}

const origins = {
  account: 'account',
  connect: 'connect',
  both: 'both',
  organization: 'organization',
  unknown: 'not told by v1',
} as const satisfies Record<Origin, string>
