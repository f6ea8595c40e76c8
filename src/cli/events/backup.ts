import { resolve } from 'node:path'
import { parseSettings, readEnvironment } from '../../config.ts'
import { backUpInbox } from '../../inbox/open-inbox.ts'
import { createProgress } from '../terminal/progress.ts'

const MIB = 1024 * 1024

/** Copies the inbox to a new file, and says what is in it. Throws ReceiverError as backUpInbox does. */
export async function runBackup(file: string): Promise<void> {
  const { databaseUrl } = parseSettings(readEnvironment(), ['databaseUrl'])
  const target = resolve(file)
  const progress = createProgress(process.stderr, (mebibytes) => `${mebibytes} MiB copied`)
  try {
    const { entries, bytes } = await backUpInbox(databaseUrl, target, (copied) =>
      progress.update(Math.round(copied / MIB)),
    )
    progress.end()
    const noun = entries === 1 ? 'entry' : 'entries'
    process.stdout.write(`backed up ${entries} ${noun} (${(bytes / MIB).toFixed(1)} MiB) to ${target}\n`)
  } finally {
    progress.end()
  }
}
