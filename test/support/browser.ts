import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { processEnvironment } from './process-environment.ts'

const run = promisify(execFile)
const modules = fileURLToPath(new URL('../../node_modules/', import.meta.url))

/**
 * A real browser without a window: the Chromium of a dev dependency on Linux x64, an installed Chrome elsewhere. Undefined, which
 * it says, where there is none; with CI set it rejects then.
 */
export async function launchBrowser(): Promise<Browser | undefined> {
  // Chromium's sandbox refuses root. Names of these lead here: other sites than localhost.
  const args = ['--no-sandbox', '--host-resolver-rules=MAP *.example 127.0.0.1']
  if (process.platform === 'linux' && process.arch === 'x64') {
    const folder = await unpackChromium()
    const libraries = join(folder, 'al2023/lib')
    const env = { ...processEnvironment(), LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: join(folder, 'fonts') }
    return chromium.launch({ executablePath: join(folder, 'chromium'), args, env })
  }
  try {
    return await chromium.launch({ channel: 'chrome', args })
  } catch (error) {
    if (process.env.CI) throw error
    console.warn('left out: the tests in a browser, since no Chrome is installed')
    return undefined
  }
}

/** The folder with the browser, and with the libraries and fonts that a bare machine lacks. */
async function unpackChromium(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(modules, '@sparticuz/chromium/package.json'), 'utf8'))
  const folder = join(modules, `.cache/chromium-${version}`)
  if (existsSync(folder)) return folder
  await mkdir(join(modules, '.cache'), { recursive: true })
  const staging = await mkdtemp(`${folder}-`)
  // Unpacks into the folder for temporary files, all of it only where it takes the machine for one of those it was made for.
  const env = { ...processEnvironment(), TMPDIR: staging, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' }
  const script = "import chromium from '@sparticuz/chromium'; await chromium.executablePath()"
  await run(process.execPath, ['--input-type=module', '--eval', script], { cwd: modules, env })
  // Its own configuration names folders of the machine that it was made for; without any font, a form's field ends the browser.
  const fonts = `<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>`
  await writeFile(join(staging, 'fonts/fonts.conf'), fonts)
  // Another file of tests may have been faster.
  await rename(staging, folder).catch((error) => {
    if (!existsSync(folder)) throw error
    return rm(staging, { recursive: true })
  })
  return folder
}

/**
 * A page in a session of its own, closed when the test ends. Whatever it said on its console as an error, what it threw and what
 * its CSP forbade then fails the test, unless `isFaulty`.
 */
export async function openPage(
  browser: Browser,
  { isFaulty = false, ...options }: BrowserContextOptions & { readonly isFaulty?: boolean } = {},
): Promise<{ page: Page; faults: readonly string[] }> {
  const context = await browser.newContext({ locale: 'en-US', ...options })
  context.setDefaultTimeout(10_000)
  const faults: string[] = []
  context.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(`${message.type()}: ${message.text()}`)
  })
  context.on('weberror', (error) => faults.push(`thrown: ${error.error()}`))
  onTestFinished(async () => {
    await context.close()
    if (!isFaulty && faults.length > 0) throw new Error(`the page said:\n${faults.join('\n')}`)
  })
  return { page: await context.newPage(), faults }
}
