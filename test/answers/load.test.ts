import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadAnswers } from '../../src/answers/load.ts'
import { makeScratch } from '../support/scratch.ts'

let scratch: Awaited<ReturnType<typeof makeScratch>>
beforeEach(async () => {
  scratch = await makeScratch()
})
afterEach(() => scratch.remove())

async function load(text: string, handledTypes: readonly string[] = []) {
  const path = join(scratch.path, 'answers.mjs')
  await writeFile(path, text)
  return loadAnswers(path, handledTypes)
}

const CARD = 'withinMs: 1500, otherwise: { approved: false }, answer: () => ({ approved: true })'

it('has none without a module', async () => {
  expect(await loadAnswers(undefined)).toEqual({ answerers: new Map(), unknownTypes: [] })
})

it('gives how each request is answered, and the names that are not known', async () => {
  const { answerers, unknownTypes } = await load(`export const answers = {
    'issuing_authorization.request': { ${CARD} },
    'issuing_authentication.decision': { withinMs: 9900, otherwise: {}, answer: () => ({}) },
  }`)
  expect([...answerers.keys()]).toEqual(['issuing_authorization.request', 'issuing_authentication.decision'])
  expect(answerers.get('issuing_authorization.request')).toMatchObject({
    withinMs: 1500,
    otherwise: { approved: false },
  })
  expect(unknownTypes).toEqual(['issuing_authentication.decision'])
})

it('keeps `otherwise` as it was checked, whatever the module does to its own later', async () => {
  const { answerers } = await load(`const otherwise = { approved: false }
    const answer = () => { otherwise.approved = true; throw new Error('no') }
    export const answers = { 'issuing_authorization.request': { withinMs: 1500, otherwise, answer } }`)
  const answerer = answerers.get('issuing_authorization.request')
  expect(() => answerer?.answer({}, {} as never)).toThrow('no')
  expect(answerer?.otherwise).toEqual({ approved: false })
})

it.each([
  ['export default {}', /^Expected `export const answers = .* does not export it/],
  ['export const answers = []', /exports an array/],
  ['throw new Error("broken")', /failed to load: Error: broken/],
])('refuses %s', async (text, message) => {
  await expect(load(text)).rejects.toMatchObject({ code: 'answers_invalid', message: expect.stringMatching(message) })
})

it('lists all faults at once', async () => {
  const loading = load(
    `export const answers = {
      'payment_intent.succeeded': { withinMs: 1000, otherwise: {}, answer: () => ({}) },
      'issuing_authorization.request': { withinMs: 1901, otherwise: { approve: false } },
      'v1.delegated_checkout.finalize_checkout': () => ({}),
    }`,
    ['issuing_authorization.request'],
  )
  await expect(loading).rejects.toMatchObject({ message: expect.stringContaining('has 6 fault(s)') })
  const message = await loading.then(String, ({ message }: Error) => message)
  for (const fault of [
    '"payment_intent.succeeded": Stripe wants no answer to it: make it a handler',
    '"issuing_authorization.request": it has a handler too, which would never run: remove that',
    '"issuing_authorization.request": withinMs: expected a whole number from 10 to 1900 (Stripe waits 2000)',
    '"issuing_authorization.request": answer: expected a function, and it is undefined',
    '"issuing_authorization.request": otherwise: expected what Stripe takes for an answer: approved: ',
    '"v1.delegated_checkout.finalize_checkout": expected { withinMs, otherwise, answer }, and it is a function',
  ])
    expect(message).toContain(fault)
})
