import { openReader } from './reader.ts'
import { serveThread } from './serve-thread.ts'
import { yieldCores } from './yield-cores.ts'

yieldCores()
serveThread(openReader)
