import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { html } from '../../src/console/html.ts'

const text = (value: string) => html`${value}`.toString()

describe('a value in a page', () => {
  it('is never markup', () => {
    expect(text('<script>alert("1")</script> & \'x\'')).toBe(
      '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39;',
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => !/[<>"']|&(?!(amp|lt|gt|quot|#39);)/.test(text(value))),
    )
  })

  it('is markup only when the tag made it', () => {
    const inner = html`<b>${'<i>'}</b>`
    expect(html`<p>${inner}${[inner, 'x', 1]}${null}${undefined}${false}</p>`.toString()).toBe(
      '<p><b>&lt;i&gt;</b><b>&lt;i&gt;</b>x1</p>',
    )
    // Whatever passes for it in a payload or a thrown value.
    const forged = { toString: () => '<script>', length: 0, map: () => ['<script>'] }
    expect(() => html`${forged as unknown as string}`.toString()).not.toThrow()
    expect(html`${forged as unknown as string}`.toString()).not.toContain('<script>')
  })

  it.each([
    ['\u202eevil', '\\u202eevil'],
    ['a\u0000b\u001b[31m', 'a\\u0000b\\u001b[31m'],
    ['\u200bx\ufeff', '\\u200bx\\ufeff'],
    ['\ud800', '\\ud800'],
    ['\u{e0041}', '\\u{e0041}'],
    ['a\r\u2028b', 'a\\u000d\\u2028b'],
    ['two\nlines\tand a tab, ümläut, עברית, 😀', 'two\nlines\tand a tab, ümläut, עברית, 😀'],
  ])('shows what has no form of its own by its number: %j', (value, shown) => {
    expect(text(value)).toBe(shown)
  })
})

it('no attribute of a template stands without quotes', () => {
  const folder = fileURLToPath(new URL('../../src/console/', import.meta.url))
  const found = globSync('**/*.ts', { cwd: folder }).flatMap((file) =>
    Array.from(
      readFileSync(join(folder, file), 'utf8').matchAll(/<[a-z][^<>`]*\s[\w-]+=\$\{/g),
      ([match]) => `${file}: ${match}`,
    ),
  )
  expect(found).toEqual([])
})
