import { afterEach, describe, expect, it } from 'vitest'
import { createThread, type Thread } from '../../../src/inbox/sqlite/thread.ts'
import type { ThreadRequest } from '../../support/scripted-thread.ts'

const script = new URL('../../support/scripted-thread.ts', import.meta.url)

let thread: Thread<ThreadRequest, string>
let lost: string[]
afterEach(() => thread.close(1_000))

function create(data: { readonly failure?: string } = {}): Thread<ThreadRequest, string> {
  lost = []
  thread = createThread({ script, data: () => data, onLost: (cause) => lost.push(cause) })
  return thread
}

const unavailable = (message: RegExp) => ({ code: 'store_unavailable', message: expect.stringMatching(message) })

describe('a thread', () => {
  it('starts when it is first asked, and answers each request', async () => {
    create()
    expect(await Promise.all([thread.ask({ echo: 'a' }), thread.ask({ echo: 'b' })])).toEqual(['a', 'b'])
    expect(lost).toEqual([])
  })

  it('tells an expected failure as one', async () => {
    await expect(create().ask({ refuse: 'disk full' })).rejects.toMatchObject(unavailable(/^disk full$/))
  })

  it.each<[string, ThreadRequest, RegExp]>([
    ['throws', { throw: 'a bug' }, /a bug/],
    ['exits', { exit: 7 }, /exit code 7/],
  ])('that %s rejects what it was asked, says so once, and is replaced', async (_how, request, cause) => {
    create()
    await thread.start()
    const asked = [thread.ask(request), thread.ask({ echo: 'behind it' })]
    for (const result of await Promise.allSettled(asked))
      expect(result).toMatchObject({ status: 'rejected', reason: unavailable(cause) })
    expect(await thread.ask({ echo: 'again' })).toBe('again')
    expect(lost).toEqual([expect.stringMatching(cause)])
  })

  it('that hangs can be killed: what it was asked rejects at once, and another starts once it is gone', async () => {
    create()
    const gate = new Int32Array(new SharedArrayBuffer(4))
    const hanging = thread.ask({ hang: gate.buffer })
    await thread.start()
    thread.kill()
    await expect(hanging).rejects.toMatchObject(unavailable(/did not answer/))
    Atomics.store(gate, 0, 1)
    Atomics.notify(gate, 0)
    expect(await thread.ask({ echo: 'again' })).toBe('again')
  })

  it('that cannot open says why at its start, and is not started again at once', async () => {
    create({ failure: 'no such file' })
    await expect(thread.start()).rejects.toThrow('no such file')
    const asked = await Promise.allSettled([thread.ask({ echo: 'a' }), thread.ask({ echo: 'b' })])
    for (const result of asked)
      expect(result).toMatchObject({ status: 'rejected', reason: unavailable(/does not start: no such file/) })
    expect(lost).toEqual([])
  })

  it('answers what it was asked before it closes', async () => {
    create()
    await thread.start()
    const asked = thread.ask({ echo: 'a' })
    await thread.close(10_000)
    expect(await asked).toBe('a')
    expect(lost).toEqual([])
  })
})
