import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { parseConfig, parseSettings, variableNames } from '../src/config.ts'
import { makeScratch } from './support/scratch.ts'

const run = promisify(execFile)
const required = { STRIPE_WEBHOOK_SECRET: 'whsec_account_1' }

/** Message of the error that the environment causes; fails when there is none. */
function faultsOf(environment: Record<string, string>): string {
  try {
    parseConfig(environment)
  } catch (error) {
    expect(error).toMatchObject({ name: 'ReceiverError', code: 'config_invalid' })
    return error instanceof Error ? error.message : ''
  }
  throw new Error('expected a fault')
}

const badWholeNumbers = ['80x', 'abc', '-1', '1.5', '1e3', '0x10', '1 000', '9999999999999999', 'NaN', 'Infinity']
const badChoices = ['LIVE', 'both', 'true', 'live,test']

/** HOST, ADMIN_HOST, HANDLERS and ANSWERS take any text: whether it names something is seen when it is used. */
const badValues: Readonly<Record<string, readonly string[]>> = {
  STRIPE_WEBHOOK_SECRET: ['sk_test_12345678', 'whsec_', 'whsec_short', 'whsec_with space', 'whsec_12345678,', ',', 'x'],
  STRIPE_CONNECT_WEBHOOK_SECRET: ['whsec', 'whsec_12345678;whsec_12345679', 'WHSEC_12345678'],
  STRIPE_API_KEY: [
    'pk_test_12345678',
    'sk_12345678',
    'sk_test_',
    'sk_live_short',
    'whsec_12345678',
    'sk_test_a b c d e',
  ],
  STRIPE_API_BASE: ['127.0.0.1:12111', 'ftp://127.0.0.1', '/v1', 'localhost', 'http://'],
  STRIPE_REQUESTS_PER_SECOND: [...badWholeNumbers, '0', '1001'],
  RECONCILE_MINUTES: [...badWholeNumbers, '1441'],
  STRIPE_MODE: badChoices,
  PORT: [...badWholeNumbers, '65536'],
  ADMIN_PORT: [...badWholeNumbers, '65536'],
  ADMIN_ALLOWED_HOSTS: ['https://a.example', 'a.example:4243', 'a.example,', 'a b'],
  CONSOLE_PASSWORD: ['123456789012345'],
  CONSOLE_READ_ONLY: ['yes', 'true', '2'],
  CONSOLE_PAYLOADS: ['never', 'Hide'],
  DATABASE_URL: ['file:', './inbox.db', 'mysql://db/inbox', 'sqlite:inbox.db'],
  ROLE: ['All', 'worker', 'receive,work'],
  WORKER_CONCURRENCY: [...badWholeNumbers, '0', '1001'],
  HANDLER_TIMEOUT_MS: [...badWholeNumbers, '9', '3600001'],
  HANDLER_OVERRUN_MS: [...badWholeNumbers, '9', '3600001'],
  SEARCH_FIELDS: ['customer', 'data.', '.data', 'data..object', 'data.object,', 'data object', 'none,data.object'],
  TWINS: ['none', 'ONE', 'one,both'],
  MAX_ATTEMPTS: [...badWholeNumbers, '0', '101'],
  SIGNATURE_TOLERANCE_SECONDS: [...badWholeNumbers, '0', '86401'],
  MAX_BODY_BYTES: [...badWholeNumbers, '1023', '16777217'],
  RETENTION_DAYS: [...badWholeNumbers, '0', '3651'],
  SHUTDOWN_TIMEOUT_MS: [...badWholeNumbers, '99', '600001'],
  ALERT_URL: [
    'hooks.slack.com/services/T0/B0/x',
    'ftp://127.0.0.1',
    'https://',
    'mailto:ops@example.com',
    'https://user:password@example.com',
  ],
  LOG_LEVEL: ['INFO', 'verbose', '30'],
}

describe('a bad value', () => {
  const cases = Object.entries(badValues).flatMap(([name, values]) => values.map((value) => [name, value] as const))

  it.each(cases)('of %s is refused: %s', (name, value) => {
    const message = faultsOf({ ...required, [name]: value })
    expect(message).toMatch(new RegExp(`^The configuration has 1 fault\\(s\\):\n  ${name}: expected .{8,}$`))
  })

  it('of every variable is reported in one error, in the order of the variables', () => {
    const worst = Object.fromEntries(Object.entries(badValues).map(([name, values]) => [name, values[0] ?? '']))
    const named = faultsOf(worst)
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(':')[0])
    expect(named).toEqual(variableNames.filter((name) => name in badValues))
    expect(named).toHaveLength(variableNames.length - 5)
  })

  it.each(Object.keys(badValues))('of %s is never told, for it may be a misplaced secret', (name) => {
    const secrets = ['sk_live_misplaced_key', 'whsec_misplaced secret', 'correct horse battery staple']
    // Takes any text that is long enough.
    if (name === 'CONSOLE_PASSWORD') secrets.splice(0, 3, 'misplaced')
    for (const misplaced of secrets) {
      if (name === 'STRIPE_API_KEY' && misplaced.startsWith('sk_')) continue
      const message = faultsOf({ ...required, [name]: misplaced })
      expect(message).toContain(name)
      for (const word of ['misplaced', 'correct horse']) expect(message).not.toContain(word)
    }
  })
})

describe('a variable that is not set', () => {
  it('is reported when it is required, with where to get a value', () => {
    const message = faultsOf({})
    expect(message).toMatch(/^ {2}STRIPE_WEBHOOK_SECRET is not set: /m)
    expect(message).toContain('stripe listen --print-secret')
    expect(message).toContain('Workbench')
  })

  it('takes its default, as an empty and a blank one do', () => {
    const defaults = parseConfig(required)
    expect(defaults).toMatchObject({
      port: 4242,
      mode: 'any',
      connectWebhookSecrets: [],
      databaseUrl: 'file:./data/inbox.db',
    })
    for (const nothing of ['', '  ', '\n']) {
      const empty = Object.fromEntries(variableNames.map((name) => [name, nothing]))
      expect(parseConfig({ ...empty, ...required })).toEqual(defaults)
      expect(faultsOf(empty)).toContain('STRIPE_WEBHOOK_SECRET is not set')
    }
  })

  it('is all the same when the environment holds names that are not variables', () => {
    expect(parseConfig({ ...required, PATH: '/bin', STRIPE_WEBHOOK_SECRETS: 'x' })).toEqual(parseConfig(required))
  })
})

describe('a good value', () => {
  it('is taken at both ends of its range', () => {
    const low = { PORT: '0', WORKER_CONCURRENCY: '1', MAX_ATTEMPTS: '1', MAX_BODY_BYTES: '1024', RETENTION_DAYS: '1' }
    expect(parseConfig({ ...required, ...low })).toMatchObject({
      port: 0,
      workerConcurrency: 1,
      maxAttempts: 1,
      maxBodyBytes: 1_024,
      retentionDays: 1,
    })
    const high = { PORT: '65535', SIGNATURE_TOLERANCE_SECONDS: '86400', HANDLER_TIMEOUT_MS: '3600000' }
    expect(parseConfig({ ...required, ...high })).toMatchObject({
      port: 65_535,
      signatureToleranceSeconds: 86_400,
      handlerTimeoutMs: 3_600_000,
    })
  })

  it('may have blanks around it', () => {
    expect(parseConfig({ STRIPE_WEBHOOK_SECRET: ' whsec_account_1\n', PORT: ' 8080 ' })).toMatchObject({
      webhookSecrets: ['whsec_account_1'],
      port: 8080,
    })
  })

  it('may be several secrets, which keep their order', () => {
    const config = parseConfig({
      STRIPE_WEBHOOK_SECRET: 'whsec_new_one_1,whsec_old_one_2',
      STRIPE_CONNECT_WEBHOOK_SECRET: 'whsec_connect_1 , whsec_connect_2',
    })
    expect(config.webhookSecrets).toEqual(['whsec_new_one_1', 'whsec_old_one_2'])
    expect(config.connectWebhookSecrets).toEqual(['whsec_connect_1', 'whsec_connect_2'])
  })

  it.each([
    'sk_test_12345678',
    'rk_test_12345678',
    'sk_org_test_12345678',
    'sk_live_12345678',
    'rk_live_12345678',
    'sk_org_live_12345678',
  ])('is the key %s', (key) => {
    expect(parseConfig({ ...required, STRIPE_API_KEY: key }).stripeApiKey).toBe(key)
  })

  it('may name another API host', () => {
    const { stripeApiBase } = parseConfig({ ...required, STRIPE_API_BASE: 'http://127.0.0.1:12111' })
    expect(stripeApiBase?.href).toBe('http://127.0.0.1:12111/')
  })
})

describe('a key of the other mode', () => {
  it.each([
    ['sk_live_12345678', 'test'],
    ['rk_live_12345678', 'test'],
    ['sk_org_live_12345678', 'test'],
    ['sk_org_test_12345678', 'live'],
    ['sk_test_12345678', 'live'],
    ['rk_test_12345678', 'live'],
  ])('stops the start: %s on a %s server', (key, mode) => {
    const message = faultsOf({ ...required, STRIPE_API_KEY: key, STRIPE_MODE: mode })
    expect(message).toContain(`expected a ${mode} mode key because STRIPE_MODE is ${mode}`)
    expect(message).not.toContain('12345678')
  })

  it('is reported beside other faults', () => {
    const message = faultsOf({ STRIPE_API_KEY: 'sk_live_12345678', STRIPE_MODE: 'test', PORT: '80x' })
    expect(message).toContain('3 fault(s)')
  })

  it.each([
    ['sk_live_12345678', 'live'],
    ['sk_test_12345678', 'test'],
    ['sk_live_12345678', 'any'],
    ['sk_test_12345678', 'any'],
  ])('is not %s on a server for %s', (key, mode) => {
    expect(parseConfig({ ...required, STRIPE_API_KEY: key, STRIPE_MODE: mode }).stripeApiKey).toBe(key)
  })
})

describe('a part of the configuration', () => {
  const environment = {
    PORT: '8080',
    DATABASE_URL: 'nonsense',
    STRIPE_API_KEY: 'sk_live_12345678',
    STRIPE_MODE: 'test',
  }

  it('holds what was asked for, and looks at nothing else', () => {
    expect(parseSettings(environment, ['port', 'twins'])).toEqual({ port: 8080, twins: 'one' })
  })

  it('has the faults of what was asked for alone', () => {
    expect(() => parseSettings(environment, ['port', 'databaseUrl', 'webhookSecrets'])).toThrow(
      /^The configuration has 2 fault\(s\):\n {2}DATABASE_URL: expected .*\n {2}STRIPE_WEBHOOK_SECRET is not set: /,
    )
  })

  it('with the key and the mode, they must go together', () => {
    expect(() => parseSettings(environment, ['stripeApiKey', 'mode'])).toThrow('because STRIPE_MODE is test')
    expect(parseSettings(environment, ['stripeApiKey'])).toEqual({ stripeApiKey: 'sk_live_12345678' })
    expect(parseSettings(environment, ['mode'])).toEqual({ mode: 'test' })
  })
})

it('reads .env of the working directory, which never overrides the environment, not even an empty value', async () => {
  const scratch = await makeScratch()
  try {
    await writeFile(join(scratch.path, '.env'), 'PORT=1111\nHOST=from-file\nROLE=work\nADMIN_PORT="2222" # quoted\n')
    const config = JSON.stringify(new URL('../src/config.ts', import.meta.url).href)
    const names = ['PORT', 'HOST', 'ROLE', 'ADMIN_PORT']
    const script = `import { readEnvironment } from ${config}
      const environment = readEnvironment()
      console.log(JSON.stringify(${JSON.stringify(names)}.map((name) => environment[name])))`
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: scratch.path,
      env: { PORT: '8080', ROLE: '' },
    })
    expect(JSON.parse(stdout)).toEqual(['8080', 'from-file', '', '2222'])
    expect(stderr).toBe('')
  } finally {
    await scratch.remove()
  }
})
