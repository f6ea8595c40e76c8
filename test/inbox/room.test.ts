import { describe, expect, it } from 'vitest'
import { createRoom } from '../../src/inbox/room.ts'

describe('the room for what waits', () => {
  const overloaded = (message = /wait to be stored/) =>
    expect.objectContaining({ code: 'overloaded', message: expect.stringMatching(message) })

  it('is bounded in entries, 4,096 unless told otherwise', () => {
    const room = createRoom()
    for (let entries = 0; entries < 4_096; entries += 1) room.take(1)
    expect(() => room.take(1)).toThrow(overloaded())
  })

  it('is bounded in bytes, 64 MiB unless told otherwise', () => {
    const room = createRoom()
    for (let mebibytes = 0; mebibytes < 64; mebibytes += 1) room.take(1_048_576)
    expect(() => room.take(1)).toThrow(overloaded(/64 entries with 67108864 bytes/))
  })

  it('always has one entry, however large', () => {
    const room = createRoom({ maxBytes: 10 })
    room.take(11)
    expect(() => room.take(1)).toThrow(overloaded())
  })

  it('is there again once it was given back', () => {
    const room = createRoom({ maxEntries: 1 })
    room.take(1)
    room.give(1)
    room.take(1)
    expect(() => room.take(1)).toThrow(overloaded())
  })
})
