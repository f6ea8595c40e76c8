import { describe, expect, it } from 'vitest'
import { createGroupCommit } from '../../../src/inbox/postgres/group-commit.ts'

describe('a group commit', () => {
  it('commits what was submitted in one turn together, in order, and answers each', async () => {
    const batches: number[][] = []
    const group = createGroupCommit<number, number>({
      maxItems: 10,
      commit(items) {
        batches.push([...items])
        return items.map((item) => ({ value: item * 2 }))
      },
    })
    expect(await Promise.all([1, 2, 3].map(group.submit))).toEqual([2, 4, 6])
    expect(batches).toEqual([[1, 2, 3]])
  })

  it('gathers what comes while a commit is under way for the next, one batch at a time', async () => {
    const batches: number[][] = []
    const releases: (() => void)[] = []
    const group = createGroupCommit<number, number>({
      maxItems: 10,
      async commit(items) {
        batches.push([...items])
        await new Promise<void>((resolve) => releases.push(resolve))
        return items.map((value) => ({ value }))
      },
    })
    const first = group.submit(1)
    await new Promise(setImmediate)
    const rest = [group.submit(2), group.submit(3)]
    await new Promise(setImmediate)
    expect(batches).toEqual([[1]])
    releases[0]?.()
    expect(await first).toBe(1)
    await new Promise(setImmediate)
    expect(batches).toEqual([[1], [2, 3]])
    releases[1]?.()
    await Promise.all(rest)
    await group.whenIdle()
  })

  it('bounds a batch', async () => {
    const sizes: number[] = []
    const group = createGroupCommit<number, number>({
      maxItems: 4,
      commit(items) {
        sizes.push(items.length)
        return items.map((value) => ({ value }))
      },
    })
    await Promise.all(Array.from({ length: 10 }, (_, index) => group.submit(index)))
    expect(sizes).toEqual([4, 4, 2])
  })

  it('fails the items that failed, and only those', async () => {
    const group = createGroupCommit<number, number>({
      maxItems: 10,
      commit: (items) => items.map((item) => (item === 2 ? { error: new Error('two') } : { value: item })),
    })
    const results = await Promise.allSettled([1, 2, 3].map(group.submit))
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('fails the whole batch when the commit fails, and goes on with the next', async () => {
    let isBroken = true
    const group = createGroupCommit<number, number>({
      maxItems: 10,
      commit(items) {
        if (isBroken) throw new Error('no disk')
        return items.map((value) => ({ value }))
      },
    })
    const results = await Promise.allSettled([1, 2].map(group.submit))
    expect(results).toMatchObject([{ reason: { message: 'no disk' } }, { reason: { message: 'no disk' } }])
    isBroken = false
    expect(await group.submit(3)).toBe(3)
  })
})
