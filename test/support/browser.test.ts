import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, openPage } from './browser.ts'
import { eventually } from './eventually.ts'

const browser = await launchBrowser()

describe.skipIf(browser === undefined)('a browser', () => {
  if (browser === undefined) return
  const server = createServer((req, res) => {
    res.setHeader('Content-Type', 'text/html')
    res.setHeader('Content-Security-Policy', "default-src 'none'; script-src 'unsafe-inline'")
    const pages = {
      '/error': '<script>console.error("told")</script>',
      '/throw': '<script>throw Error("thrown")</script>',
    }
    res.end(
      Object.entries(pages).find(([path]) => path === req.url)?.[1] ??
        '<h1>Hello</h1><input type="search"><img src="/forbidden.png" alt="">',
    )
  })
  let url: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    // A listening TCP server's address is of this form.
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    await browser.close()
    server.close()
  })

  it.each([
    ['an error on the console', '/error', 'error: told'],
    ['an exception', '/throw', 'thrown: Error: thrown'],
    ['what the CSP forbids', '/', 'Content Security Policy'],
  ])('tells %s', async (_name, path, told) => {
    const { page, faults } = await openPage(browser, { isFaulty: true })
    await page.goto(url + path)
    await eventually('the fault', () => faults.some((fault) => fault.includes(told)))
    expect(faults).toHaveLength(1)
  })

  it.fails('fails a test whose page has a fault', async () => {
    const { page, faults } = await openPage(browser)
    await page.goto(`${url}/error`)
    await eventually('the fault', () => faults.length > 0)
  })
})
