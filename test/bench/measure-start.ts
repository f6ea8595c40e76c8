import { type BenchContext, inboxFile, withFolder } from './bench-context.ts'
import { startServer } from './server-process.ts'

/** Milliseconds from the process's start to the first 200 of /readyz, each time with a new inbox. */
export async function measureStarts(context: BenchContext): Promise<readonly number[]> {
  context.say(`start to ready, ${context.plan.starts} times`)
  const readyMs: number[] = []
  for (let start = 0; start < context.plan.starts; start += 1) {
    await withFolder(context, async (folder) => {
      const server = await startServer('receiver', folder, { DATABASE_URL: `file:${inboxFile(folder)}` })
      readyMs.push(server.readyMs)
      await server.kill()
    })
  }
  return readyMs
}
