import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { env, type Targets } from '../../src/event.ts'
import { checkTargets, loadTargets } from '../../src/targets/load.ts'
import { makeScratch } from '../support/scratch.ts'

const environment = { SHOP: 'whsec_shop_secret_1', ROLLED: 'whsec_shop_secret_2, whsec_shop_secret_1', EMPTY: '' }
const shop = { url: 'https://shop.internal/stripe', secrets: [env('SHOP')], sign: 'stripe' } as const
const check = (targets: unknown) => checkTargets(targets, 'targets.ts', environment)
/** Each fault that the target has. */
function faultsOf(target: unknown, name = 'shop'): string[] {
  try {
    check({ [name]: target })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return error.message.split('\n').slice(1)
  }
  return []
}

let scratch: Awaited<ReturnType<typeof makeScratch>>
beforeAll(async () => {
  scratch = await makeScratch()
})
afterAll(() => scratch.remove())

describe('a module of targets', () => {
  it('gives none when none is named', async () => {
    expect(await loadTargets(undefined, {})).toEqual({ targets: [], unknownTypes: [] })
  })

  it('is read as TypeScript, with the secrets from the environment and the defaults filled in', async () => {
    const path = join(scratch.path, 'targets.ts')
    const event = new URL('../../src/event.ts', import.meta.url).href
    await writeFile(
      path,
      `import { env, type Targets } from '${event}'
       export const targets = {
         shop: { url: 'https://shop.internal/stripe', secrets: [env('SHOP')], sign: 'stripe', types: ['payout.*'] },
         'two-secrets': { url: 'http://127.0.0.1:9/x?y=z', secrets: [env('ROLLED')], sign: 'stripe', where: (event): boolean => event.livemode },
       } satisfies Targets`,
    )
    const { targets, unknownTypes } = await loadTargets(path, environment)
    expect(targets).toMatchObject([
      { name: 'shop', secrets: ['whsec_shop_secret_1'], concurrency: 8, timeoutMs: 10_000, perSecond: undefined },
      { name: 'two-secrets', secrets: ['whsec_shop_secret_2', 'whsec_shop_secret_1'], where: expect.any(Function) },
    ])
    expect(targets[1]?.url.href).toBe('http://127.0.0.1:9/x?y=z')
    expect(unknownTypes).toEqual([])
  })

  it('takes what the types allow', () => {
    const targets = {
      shop: {
        ...shop,
        types: ['payment_intent.*', 'charge.dispute.*', 'payout.paid'],
        accounts: ['acct_1A2b3C4d5E6f'],
        shapes: ['snapshot'],
        mode: 'live',
        where: (event) => event.data.object.metadata?.shop === '7',
        concurrency: 8,
        perSecond: 50,
        timeoutMs: 10_000,
        order: 'lane',
        final: [422],
      },
    } satisfies Targets
    expect(check(targets)).toMatchObject({ targets: [{ order: 'lane', concurrency: 8 }], unknownTypes: [] })
    expect(check({ shop }).targets[0]?.order).toBeUndefined()
  })

  it('tells patterns that no type of the SDK fits', () => {
    expect(check({ shop: { ...shop, types: ['payuot.*', 'payout.*', 'payout.piad', '*'] } }).unknownTypes).toEqual([
      'payuot.*',
      'payout.piad',
    ])
  })

  it('tells all faults at once, and no value', () => {
    const targets = { Shop: shop, other: { ...shop, url: 'ftp://x', secrets: [], sing: 'stripe', timeoutMs: 5 } }
    expect(() => check(targets)).toThrow(/ 5 fault\(s\)/)
    try {
      checkTargets({ shop }, 'targets.ts', { SHOP: 'sk_live_oops_a_key' })
      expect.unreachable()
    } catch (error) {
      expect(String(error)).toContain('SHOP to hold whsec_…')
      expect(String(error)).not.toContain('oops')
    }
  })

  it('tells of secrets and authorities beside other faults', () => {
    const more = { secrets: [env('NONE'), env('SHOP')], final: [302], ca: 'no-such.pem' }
    const [status, ...others] = [/final\.0: expected/, /NONE is not set/, /ca: .*ENOENT/].map((fault) =>
      expect.stringMatching(fault),
    )
    expect(faultsOf({ ...shop, ...more })).toEqual([status, ...others])
    expect(faultsOf({ ...shop, ...more, sign: 'other' })).toEqual([expect.stringContaining('sign:'), status, ...others])
  })

  it.each<[string, unknown, RegExp]>([
    ['a secret in the module', { ...shop, secrets: ['whsec_in_the_module'] }, /secrets\.0: expected env/],
    ['a variable that is not set', { ...shop, secrets: [env('NONE')] }, /the variable NONE is not set/],
    ['a variable that is empty', { ...shop, secrets: [env('EMPTY')] }, /the variable EMPTY is not set/],
    ["Stripe's secret for the other scheme", { ...shop, sign: 'standard' }, /24 to 64 bytes in base64/],
    ['no scheme', { ...shop, sign: undefined }, /sign: expected 'stripe' or 'standard'/],
    ['a password in the URL', { ...shop, url: 'https://user:secret@shop.internal/' }, /without a user/],
    ['the address of metadata', { ...shop, url: 'http://169.254.169.254/latest' }, /link-local/],
    ['the same in IPv6', { ...shop, url: 'http://[::ffff:169.254.169.254]/latest' }, /link-local/],
    ['an unknown option', { ...shop, urls: [] }, /no such option as urls/],
    ['an account that is none', { ...shop, accounts: ['cus_1'] }, /accounts\.0: expected the id/],
    ['no accounts', { ...shop, accounts: [] }, /accounts: .*one or more/],
    ['a `where` that is no function', { ...shop, where: true }, /where: expected a function/],
    ['a concurrency of none', { ...shop, concurrency: 0 }, /concurrency: expected a whole number from 1 to 256/],
    ['an order that there is none of', { ...shop, order: 'account' }, /order: expected 'lane'/],
    ['an order by a switch', { ...shop, order: true }, /order: expected 'lane'/],
    ['a file of authorities that is missing', { ...shop, ca: 'no-such.pem' }, /ca: .*no-such\.pem.*ENOENT/],
    ['a file of authorities that holds none', { ...shop, ca: 'package.json' }, /no certificate in PEM/],
    ['no object', 'https://shop.internal', /expected an object/],
  ])('refuses %s', (_what, target, fault) => {
    expect(faultsOf(target)).toEqual([expect.stringMatching(fault)])
  })

  it.each(['Shop', '1shop', 'shop_1', 'a'.repeat(33), '-shop'])('refuses the name %s', (name) => {
    expect(faultsOf(shop, name)).toHaveLength(1)
  })

  it('refuses more than 32, and a module without targets', () => {
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`shop-${index}`, shop]))
    expect(() => check(many)).toThrow(/33 targets: expected 32 at most/)
    expect(() => check(undefined)).toThrow(/exports undefined as `targets`/)
  })
})
