import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { deliver } from '../support/deliver.ts'
import { eventually } from '../support/eventually.ts'
import { openRaw, type RawAnswer, type RawConnection } from '../support/raw-http.ts'
import { signedRequest } from '../support/raw-sender.ts'
import { type ScriptedServer, scriptedJson, startScripted } from '../support/scripted-server.ts'
import { snapshotJson } from '../support/sign.ts'

const CHUNKS = 65_536
/** Where the kernel tells how much memory a process has had. */
const isLinux = process.platform === 'linux'

let server: ScriptedServer | undefined
let connections: RawConnection[] = []
afterEach(async () => {
  for (const connection of connections) connection.destroy()
  connections = []
  await server?.remove()
  server = undefined
})

async function start(env: Record<string, string> = {}): Promise<ScriptedServer> {
  server = await startScripted(env)
  return server
}

async function connect(running: ScriptedServer, count: number): Promise<RawConnection[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => openRaw(running.port)))
  connections.push(...opened)
  return opened
}

/** The next `count` answers of a connection; fails when it ends before. */
async function answersOf(connection: RawConnection, count: number): Promise<RawAnswer[]> {
  const answers: RawAnswer[] = []
  while (answers.length < count) {
    const answer = await connection.answer()
    if (answer === undefined) throw new Error(`the connection ended (${connection.ending()}) before it was answered`)
    answers.push(answer)
  }
  return answers
}

/** Holds the write lock of the server's file, as another process would, until it is disposed of. */
function lockStore({ folder }: ScriptedServer): Disposable {
  const db = new DatabaseSync(join(folder, 'data', 'inbox.db'), { timeout: 10_000 })
  db.exec('BEGIN IMMEDIATE')
  return { [Symbol.dispose]: () => db.close() }
}

const codeOf = (answer: RawAnswer): string => JSON.parse(answer.body).error?.code ?? 'none'
const isToldWhen = ({ head }: RawAnswer) => /\r\nRetry-After: [1-9]\d*(\r\n|$)/.test(head)

function expectOnlyTakenOrPutOff(answers: readonly RawAnswer[]): void {
  for (const answer of answers) expect([200, 503]).toContain(answer.status)
  expect(answers.filter(({ status }) => status === 503).every(isToldWhen)).toBe(true)
}

/** Most memory that the process has had so far. */
function peakMiB({ pid }: ScriptedServer): number {
  return Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}

describe('a store that is slow', () => {
  it('puts deliveries off with 503 and Retry-After once 4,096 wait, keeps what it took, and recovers', async () => {
    const running = await start({ ROLE: 'receive' })
    const [perConnection, senders] = [16, await connect(running, 400)]
    // Prepared before, so that they come faster than the locked store puts them off.
    const requests = senders.map(() =>
      Buffer.concat(Array.from({ length: perConnection }, () => signedRequest(snapshotJson()))),
    )
    const lock = lockStore(running)
    for (const [index, sender] of senders.entries()) sender.send(requests[index] ?? '')
    await eventually('too many to wait', () => running.text().includes('"code":"overloaded"'))
    lock[Symbol.dispose]()
    const answers = (await Promise.all(senders.map((sender) => answersOf(sender, perConnection)))).flat()
    expectOnlyTakenOrPutOff(answers)
    const taken = answers.filter(({ status }) => status === 200)
    expect(new Set(answers.map(codeOf))).toContain('overloaded')
    expect(taken.length).toBeGreaterThan(1_000)
    expect(await running.withInbox((inbox) => inbox.counts())).toMatchObject({ pending: taken.length })
    expect(await deliver(`${running.url}/webhook`, snapshotJson())).toBe(200)
  })

  it('is locked in bursts: what was answered 200 is handled once, and the rest is told when to come back', async () => {
    const running = await start()
    const accepted: string[] = []
    const answers: RawAnswer[] = []
    let isOver = false
    const senders = (await connect(running, 10)).map(async (sender, of) => {
      for (let number = 0; !isOver; number += 1) {
        const id = `evt_${of}_${number}`
        sender.send(signedRequest(scriptedJson({ waitMs: 20 }, { id, objectId: `po_${number % 7}` })))
        const [answer] = await answersOf(sender, 1)
        if (answer?.status === 200) accepted.push(id)
        if (answer !== undefined) answers.push(answer)
      }
    })
    // Shorter and longer than the server waits for a lock.
    for (const heldMs of [50, 900, 200, 1_300, 100]) {
      using _lock = lockStore(running)
      await delay(heldMs)
    }
    isOver = true
    await Promise.all(senders)
    expectOnlyTakenOrPutOff(answers)
    expect(answers.some((answer) => codeOf(answer) === 'store_unavailable')).toBe(true)
    await running.withInbox((inbox) =>
      eventually('all to be handled', async () => (await inbox.counts()).handled === accepted.length),
    )
    const ends = running.recorded().filter(({ what }) => what === 'end')
    expect(ends.map(({ eventId }) => eventId).sort()).toEqual(accepted.sort())
  })
})

describe('large bodies', () => {
  it('stay within the memory for them while 400 of 1 MiB are thrown at the server, which recovers', async () => {
    const running = await start({ ROLE: 'receive' })
    const body = snapshotJson({ pad: 'x'.repeat(1_040_000) })
    const request = signedRequest(body)
    const senders = await connect(running, 400)
    // Not one is whole before more have come than may be held.
    for (const sender of senders) sender.send(request.subarray(0, -1))
    await eventually('too many to be held', () => running.text().includes('"code":"overloaded"'))
    for (const sender of senders) sender.send(request.subarray(-1))
    const answers = (await Promise.all(senders.map((sender) => answersOf(sender, 1)))).flat()
    expectOnlyTakenOrPutOff(answers)
    expect(answers.map(codeOf)).toContain('overloaded')
    // About 145 MiB at rest, 64 MiB of bodies, twice where they wait to be stored, and what is not yet collected.
    if (isLinux) expect(peakMiB(running)).toBeLessThan(600)
    expect(await deliver(`${running.url}/webhook`, body)).toBe(200)
    expect((await fetch(`${running.url}/readyz`)).status).toBe(200)
  })
})

describe('requests that are sent without waiting for answers', () => {
  it('do not fill the memory', async () => {
    const running = await start({ ROLE: 'receive', NODE_OPTIONS: '--max-old-space-size=128' })
    const flood = 'GET /readyz HTTP/1.1\r\n\r\n'.repeat(2_400)
    const senders = await connect(running, 60)
    for (const sender of senders) sender.send(flood)
    // Kept until they were answered they were 350 MiB.
    await Promise.all(senders.map(({ ended }) => ended))
    expect(await deliver(`${running.url}/webhook`, snapshotJson())).toBe(200)
  })
})

describe('bodies that were answered', () => {
  it.runIf(isLinux)('are not kept by connections that stay open', async () => {
    const running = await start({ ROLE: 'receive' })
    expect(await deliver(`${running.url}/webhook`, snapshotJson())).toBe(200)
    const before = peakMiB(running)
    const forged = signedRequest(snapshotJson({ pad: 'x'.repeat(1_040_000) }), { secret: 'whsec_forged' })
    for (const sender of await connect(running, 400)) {
      sender.send(forged)
      expect((await answersOf(sender, 1)).map(codeOf)).toEqual(['signature_mismatch'])
    }
    // Kept until the next request of the connection they were 400 MiB.
    expect(peakMiB(running) - before).toBeLessThan(200)
  })
})

describe('bodies in one-byte chunks', () => {
  it.runIf(isLinux)('cost no more memory than others, without a signature too', async () => {
    const running = await start({ ROLE: 'receive' })
    expect(await deliver(`${running.url}/webhook`, snapshotJson())).toBe(200)
    const before = peakMiB(running)
    const senders = await connect(running, 20)
    const head = 'POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n'
    for (const sender of senders) sender.send(`${head}${'1\r\na\r\n'.repeat(CHUNKS)}0\r\n\r\n`)
    const answers = (await Promise.all(senders.map((sender) => answersOf(sender, 1)))).flat()
    expect(new Set(answers.map(codeOf))).toEqual(new Set(['signature_missing']))
    // Kept as they came they were 430 B each: 560 MiB.
    expect(peakMiB(running) - before).toBeLessThan(60)
  })
})

describe('slow clients', () => {
  const body = snapshotJson()
  const request = signedRequest(body).toString('latin1')
  const headBytes = request.indexOf('\r\n\r\n')

  async function deliverSome(running: ScriptedServer): Promise<void> {
    for (let round = 0; round < 50; round += 1) {
      expect(await deliver(`${running.url}/webhook`, snapshotJson())).toBe(200)
    }
  }

  it('do not stop the others: 300 whose headers trickle, 300 whose body trickles, 500 that say nothing', async () => {
    const running = await start({ ROLE: 'receive' })
    const trickling = await connect(running, 600)
    await connect(running, 500)
    for (const [index, connection] of trickling.entries()) {
      connection.send(request.slice(0, index % 2 === 0 ? headBytes - 60 : headBytes + 60))
    }
    for (let byte = 0; byte < 3; byte += 1) {
      for (const [index, connection] of trickling.entries()) {
        const from = (index % 2 === 0 ? headBytes - 60 : headBytes + 60) + byte
        connection.send(request.slice(from, from + 1))
      }
      await deliverSome(running)
    }
    expect(trickling.filter((connection) => connection.ending() !== undefined)).toEqual([])
  })

  it('do not keep others out by large bodies that they never finish', async () => {
    const running = await start({ ROLE: 'receive' })
    const large = signedRequest(snapshotJson({ pad: 'x'.repeat(1_040_000) }))
    const stalling = await connect(running, 80)
    for (const connection of stalling) connection.send(large.subarray(0, -1))
    const refused = eventually('some of them to be refused', () => running.text().includes('"code":"overloaded"'))
    await refused
    await deliverSome(running)
    const big = snapshotJson({ pad: 'x'.repeat(1_000_000) })
    expect(await deliver(`${running.url}/webhook`, big)).toBe(200)
  })
})
