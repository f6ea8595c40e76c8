import { afterEach, beforeEach, expect, it } from 'vitest'
import { type AlertReceiver, startAlertReceiver } from '../../support/alert-receiver.ts'
import { type CliResult, runCli } from '../../support/run-cli.ts'

const TOKEN = 'secrettoken'

let receiver: AlertReceiver
let host: string
beforeEach(async () => {
  receiver = await startAlertReceiver()
  host = new URL(receiver.url).host
})
afterEach(() => receiver.close())

/** Runs it, and fails when it printed more of the URL than its host. */
async function runTrial(args: readonly string[] = [], env: Record<string, string> = {}): Promise<CliResult> {
  const ALERT_URL = `${receiver.url}/services/${TOKEN}`
  const result = await runCli(['doctor', '--alert', ...args], { env: { ALERT_URL, ...env } })
  expect(result.stdout + result.stderr).not.toContain(TOKEN)
  return result
}

it('sends a trial, and nothing else, and prints the status that came back', async () => {
  const result = await runTrial([], { STRIPE_MODE: 'live' })
  expect(result).toEqual({
    code: 0,
    stderr: '',
    stdout: `ok       the trial to ${host} (ALERT_URL): status 200\n\nall is well\n`,
  })
  expect(receiver.alerts).toMatchObject([{ path: `/services/${TOKEN}`, json: { kind: 'trial', mode: 'live' } }])
  expect(receiver.alerts[0]?.json.text).toContain('(live): a trial: ')
})

it('ends with 1 and what to do when it is not taken', async () => {
  receiver.behaviour = 404
  const refused = await runTrial()
  expect(refused.code).toBe(1)
  expect(refused.stdout).toMatch(
    /^fault {4}the trial to 127\.0\.0\.1:\d+ \(ALERT_URL\): status 404\n {9}→ look at the webhook there/,
  )
  receiver.behaviour = 302
  expect((await runTrial()).stdout).toContain(
    'status 302\n         → set ALERT_URL to where that leads: redirects are not followed\n',
  )
  await receiver.close()
  const unreached = await runTrial(['--json'])
  expect(unreached.code).toBe(1)
  expect(JSON.parse(unreached.stdout)).toEqual({
    severity: 'fault',
    check: 'alert',
    message: `the trial to ${host} (ALERT_URL): no answer: ECONNREFUSED`,
    mend: 'check the host in ALERT_URL, and that this machine may reach it',
  })
  receiver = await startAlertReceiver()
})

it('says what is missing without ALERT_URL', async () => {
  const result = await runTrial([], { ALERT_URL: '' })
  expect(result).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^error: ALERT_URL is not set: set it in \.env/),
  })
})

it('tells nothing of a malformed ALERT_URL', async () => {
  const result = await runTrial([], { ALERT_URL: `${receiver.url}/${TOKEN}`.replace('http', 'ftp') })
  expect(result.code).toBe(1)
  expect(result.stderr).toContain('ALERT_URL: expected an http or https URL without a user and password')
})

it('goes with neither --url nor --ping', async () => {
  const result = await runTrial(['--ping'])
  expect(result.code).toBe(1)
  expect(result.stderr).toContain("option '--alert' cannot be used with option '--ping'")
  expect(receiver.alerts).toEqual([])
})
