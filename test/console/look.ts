import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import { openPage } from '../support/browser.ts'
import { type ConsoleRig, PASSWORD } from './rig.ts'

const axe = await readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8')

/** A page of the console, signed in as that operator. */
export async function openConsolePage(
  browser: Browser,
  { url }: ConsoleRig,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const httpCredentials = { username: 'ada', password: PASSWORD }
  const { page } = await openPage(browser, { baseURL: url, httpCredentials, ...options })
  await page.goto(path)
  return page
}

/** Does what leads to another page, and waits for that: whatever is looked at next is on it. */
export async function follow(page: Page, act: () => Promise<void>): Promise<void> {
  await Promise.all([page.waitForEvent('domcontentloaded'), act()])
}

/** Whatever hinders people: what axe finds, and what is wider than a phone. */
export async function expectFit(page: Page): Promise<void> {
  await page.evaluate(axe)
  const violations: string[] = await page.evaluate(`axe.run().then(({ violations }) => violations.map(({ id, nodes }) =>
    id + ': ' + nodes.map(({ html }) => html).join(' ')))`)
  expect(violations).toEqual([])
  await page.setViewportSize({ width: 320, height: 640 })
  // A plot takes its new width once it was told of it.
  await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(320)
  await page.setViewportSize({ width: 1280, height: 720 })
}
