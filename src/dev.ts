import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, watch } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { peekEnvironment } from './config.ts'

/**
 * `npm run dev`: the server, started again when its sources, the modules of HANDLERS, ANSWERS and TARGETS, what lies beside them, or `.env`
 * change.
 * `node --watch` watches files, and loses one that an editor replaces by renaming.
 */
const SOURCE = /(\.(ts|js|mjs|cjs|json)|^\.env)$/
/** Editors write a file in several steps. */
const SETTLES_WITHIN_MS = 100

const sources = fileURLToPath(new URL('.', import.meta.url))
const { HANDLERS, ANSWERS, TARGETS } = peekEnvironment()
let server: ChildProcess | undefined
let timer: NodeJS.Timeout | undefined
let isStopping = false

function start(): void {
  server = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], { stdio: 'inherit' })
  server.once('exit', (code) => {
    server = undefined
    if (isStopping) process.exit(code ?? 1)
    if (timer !== undefined) start()
    else console.error('The server ended. It starts again once a file changes.')
    timer = undefined
  })
}

function restart(): void {
  if (server === undefined) {
    timer = undefined
    start()
  } else server.kill('SIGTERM')
}

function watchFolder(folder: string, recursive: boolean): void {
  watch(folder, { recursive }, (_event, name) => {
    if (name === null || !SOURCE.test(name)) return
    clearTimeout(timer)
    timer = setTimeout(restart, SETTLES_WITHIN_MS)
  })
}

watchFolder(sources, true)
watchFolder('.', false)
const modules = [HANDLERS, ANSWERS, TARGETS].filter((module) => module && existsSync(module))
for (const folder of new Set(modules.map((module = '') => dirname(resolve(module))))) watchFolder(folder, false)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    isStopping = true
    if (server === undefined) process.exit(0)
    server.kill(signal)
  })
}
start()
