import { withInbox } from './checkout.ts'

// `search-process.ts <checkout> <url>`: searches for a type that no entry has, as `events list` does, until it is ended. No index
// serves that, so each time all entries are read. One process for all, since to start a command takes more of the cores than it.

const [folder = '', url = ''] = process.argv.slice(2)

await withInbox({ folder }, url, 'command', async (inbox) => {
  for (;;) {
    const found = await inbox.list({ type: 'nothing.*' }, { limit: 1 })
    if (found.length > 0) throw new Error('expected to find nothing')
  }
})
