import { describe, expect, it } from 'vitest'
import { firstLineOf, isPlain, name, quote } from '../../src/alerts/chat-text.ts'

describe('the first line of a reason', () => {
  it.each([
    ['card gateway timed out\n    at pay (handlers.ts:3)', 'card gateway timed out'],
    ['\n\nlate', 'late'],
    ['a\tb\u0000\u001b[31mc\u202ed\u200be', 'a b [31mc d e'],
    ['refused: {"id":"evt_1","email":"ann@example.com"}', 'refused: …'],
    ["refused: { id: 'evt_1' }", 'refused: …'],
    ['[ { "code": "too_small" } ]', '…'],
    ['answered 404 [not found] {}', 'answered 404 [not found] {}'],
    ['', ''],
  ])('of %j is %j', (reason, line) => {
    expect(firstLineOf(reason)).toBe(line)
  })

  it('has 200 characters at most, and no half of one', () => {
    expect(firstLineOf('x'.repeat(5_000))).toHaveLength(200)
    expect(firstLineOf(`${'x'.repeat(199)}🙂`)).toBe('x'.repeat(199))
  })
})

describe('foreign text in a chat', () => {
  it.each([
    ['<!channel> & <@U123>', '`&lt;!channel&gt; &amp; &lt;@\u200bU123&gt;`'],
    ['@everyone, @here', '`@\u200beveryone, @\u200bhere`'],
    ['[click](https://example.com) `*now*`', "`[click](https://example.com) '*now*'`"],
  ])('%j is %j', (text, quoted) => {
    expect(quote(text)).toBe(quoted)
  })

  it('is left as it is when it is a type or an id as Stripe writes them', () => {
    for (const plain of ['payout.failed', 'evt_1A2b3C', 'v1.billing.meter']) expect(name(plain)).toBe(plain)
    expect(name('<!here>')).toBe('`&lt;!here&gt;`')
    for (const odd of ['$(reboot)', "'", '-x', 'a b', '*']) expect(isPlain(odd)).toBe(false)
  })
})
