import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Preloaded by `npm start` and the commands, and by each of their threads, so that what Node compiles is kept. Not TypeScript: loading
// what strips the types is much of what is saved.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)))
