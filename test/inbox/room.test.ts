import { describe, expect, it } from 'vitest'
import { createRoom } from '../../src/inbox/room.ts'

describe('the room for what waits', () => {
  const never = () => new Promise<never>(() => {})

  it('is bounded in entries, 4,096 unless told otherwise', async () => {
    const room = createRoom()
    for (let entries = 0; entries < 4_096; entries += 1) void room.hold(1, never)
    await expect(room.hold(1, async () => 'stored')).rejects.toMatchObject({ code: 'overloaded' })
  })

  it('is bounded in bytes, 64 MiB unless told otherwise, and begins nothing beyond', async () => {
    const room = createRoom()
    for (let mebibytes = 0; mebibytes < 64; mebibytes += 1) void room.hold(1_048_576, never)
    let begun = 0
    const begin = async () => {
      begun += 1
    }
    await expect(room.hold(1, begin)).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringMatching(/64 entries with 67108864 bytes/),
    })
    expect(begun).toBe(0)
  })

  it('always has one entry, however large', async () => {
    expect(await createRoom({ maxBytes: 10 }).hold(11, async () => 'stored')).toBe('stored')
  })

  it('is given back when the work ends, well or not', async () => {
    const room = createRoom({ maxEntries: 1 })
    expect(await room.hold(1, async () => 'stored')).toBe('stored')
    await expect(room.hold(1, () => Promise.reject(new Error('no disk')))).rejects.toThrow('no disk')
    expect(await room.hold(1, async () => 'stored')).toBe('stored')
  })
})
