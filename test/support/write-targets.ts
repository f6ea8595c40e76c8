import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TARGET_SECRET } from './loaded-target.ts'

const EVENT_TS = new URL('../../src/event.ts', import.meta.url).href

/** Source of a target at that URL that signs as Stripe does; `more` is further options, with a comma between. */
export const targetAt = (url: URL | string, more = '') =>
  `{ url: '${url}', secrets: [env('SHOP_SECRET')], sign: 'stripe', ${more} }`

/** Writes a module of these targets, source by name, into the folder; gives the environment that a server with them needs. */
export async function writeTargets(
  folder: string,
  targets: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, string>>> {
  const module = join(folder, 'targets.ts')
  const members = Object.entries(targets).map(([name, source]) => `'${name}': ${source}`)
  await writeFile(
    module,
    `import { env, type Targets } from '${EVENT_TS}'\nexport const targets = { ${members.join(', ')} } satisfies Targets`,
  )
  return { TARGETS: module, SHOP_SECRET: TARGET_SECRET }
}
