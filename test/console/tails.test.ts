import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, expect, it } from 'vitest'
import type { Feed, Line } from '../../src/console/feed.ts'
import { createTails, type Tails } from '../../src/console/tails.ts'
import { eventually } from '../support/eventually.ts'
import { captureLog } from '../support/log-lines.ts'

const LINE: Line = { key: 'k', at: '', state: 'note', what: '', url: '', id: '', note: '' }

/** Lines that a test adds. */
function makeFeed() {
  const lines: Line[] = []
  let looks = 0
  const feed: Feed & { add(...more: Partial<Line>[]): void; looks(): number; fault?: Error } = {
    add: (...more) => void lines.push(...more.map((line) => ({ ...LINE, ...line }))),
    looks: () => looks,
    onRefused() {},
    onAttemptEnded() {},
    async look() {
      looks += 1
      if (feed.fault) throw feed.fault
    },
    tell: (what) => feed.add({ what }),
    since: (number) => ({ lines: lines.slice(number), number: lines.length }),
  }
  return feed
}

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

async function open(silenceMs = 60_000) {
  const feed = makeFeed()
  const log = await captureLog()
  const tails: Tails = createTails(feed, log.log, 2, silenceMs)
  const server = createServer(express().get('/', tails.serve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  // A listening TCP server's address is of this form.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return { feed, tails, log, connect: (query = '', headers = {}) => connect(url + query, headers) }
}

async function connect(url: string, headers: Record<string, string>) {
  const res = await new Promise<IncomingMessage>((resolve, reject) =>
    get(url, { headers, agent: false }, resolve).on('error', reject),
  )
  let text = ''
  let hasEnded = false
  res
    .setEncoding('utf8')
    .on('close', () => (hasEnded = true))
    .on('error', () => {})
  const read = () => res.on('data', (chunk: string) => (text += chunk))
  const messages = () =>
    Array.from(text.matchAll(/id: (.*)\ndata: (.*)\n\n/g), ([, id = '', data = '']) => ({
      id,
      lines: JSON.parse(data) as Line[],
    }))
  const what = () => messages().flatMap(({ lines }) => lines.map((line) => line.what))
  return { res, read, text: () => text, messages, what, hasEnded: () => hasEnded }
}

it('feeds all who look, and asks nothing while nobody does', async () => {
  const { feed, connect } = await open()
  feed.add({ what: 'one' })
  expect(feed.looks()).toBe(0)
  const [first, second] = await Promise.all([connect(), connect()])
  for (const tail of [first, second]) tail.read()
  await eventually('the first line', () => first.what().length === 1 && second.what().length === 1)
  feed.add({ what: 'two\n\ndata: three' })
  await eventually('the next', () => second.what().length === 2)
  expect(first.res.headers['content-type']).toBe('text/event-stream; charset=utf-8')
  for (const tail of [first, second]) tail.res.destroy()
  const rest = async () => {
    const before = feed.looks()
    await new Promise((resolve) => setTimeout(resolve, 20))
    return feed.looks() === before
  }
  await eventually('the looking to end', rest)
  const again = await connect()
  again.read()
  await eventually('all lines', () => again.what().length === 2)
  expect(again.what()).toEqual(['one', 'two\n\ndata: three'])
})

it('goes on behind the last line that came, and anew behind one of another process', async () => {
  const { feed, tails, connect } = await open()
  feed.add({ what: 'one' }, { what: 'two' })
  const cursor = tails.cursor()
  feed.add({ what: 'three' })
  const ask = async (query: string, headers = {}) => {
    const tail = await connect(query, headers)
    tail.read()
    await eventually('lines', () => tail.what().length > 0)
    return { id: tail.messages()[0]?.id, what: tail.what() }
  }
  expect((await ask(`?after=${cursor}`)).what).toEqual(['three'])
  const { id = '' } = await ask('')
  feed.add({ what: 'four' })
  // What came last counts, and not what the address said at first.
  expect((await ask(`?after=${cursor}`, { 'last-event-id': id })).what).toEqual(['four'])
  expect((await ask('?after=0123abcd-3')).what).toEqual(['one', 'two', 'three', 'four'])
  expect((await ask(`?after=${cursor.split('-')[0]}-x`)).what).toHaveLength(4)
})

it('takes five, and answers the sixth 429 until one goes', async () => {
  const { connect } = await open()
  const five = await Promise.all(Array.from({ length: 5 }, () => connect()))
  expect((await connect()).res.statusCode).toBe(429)
  five[0]?.res.destroy()
  await eventually('a place', async () => {
    const tail = await connect()
    return tail.res.statusCode === 200
  })
})

it('says something now and then while nothing comes', async () => {
  const { connect } = await open(10)
  const tail = await connect()
  tail.read()
  await eventually('two signs of life', () => tail.text().split(':\n\n').length > 2)
  expect(tail.text().replaceAll(':\n\n', '')).toBe('retry: 2000\n\n')
})

it('drops a reader who takes nothing', async () => {
  const { feed, connect } = await open(300)
  const slow = await connect()
  slow.res.pause()
  const note = 'x'.repeat(100_000)
  const growing = setInterval(() => feed.add({ note }), 1)
  closing.push(() => clearInterval(growing))
  await eventually('its place to be free', async () => {
    const others = await Promise.all(Array.from({ length: 5 }, () => connect()))
    const isFree = others.every(({ res }) => res.statusCode === 200)
    for (const { res } of others) res.destroy()
    return isFree
  })
})

it('tells when the inbox does not answer, once, and goes on', async () => {
  const { feed, log, connect } = await open()
  feed.fault = new Error('gone')
  const tail = await connect()
  tail.read()
  await eventually('to be told', () => tail.what().length > 0 && feed.looks() > 5)
  expect(tail.what()).toEqual(['the inbox does not answer'])
  delete feed.fault
  feed.add({ what: 'back' })
  await eventually('the next', () => tail.what().includes('back'))
  expect(log.lines().map(({ msg }) => msg)).toEqual(['live pages cannot see the inbox; will try again'])
})

it('ends with the server, and takes no more', async () => {
  const { tails, connect } = await open()
  const tail = await connect()
  tail.read()
  tails.stop()
  await eventually('the end', tail.hasEnded)
  expect((await connect()).res.statusCode).toBe(503)
})
