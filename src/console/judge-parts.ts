import type { Hold } from '../inbox/inbox.ts'
import { formatDuration } from '../operations/duration.ts'
import { surveyTargets } from '../operations/survey-targets.ts'
import { FINISHED_NOTE, UNDELIVERED_NOTE } from '../reconcile/schedule.ts'
import type { Context } from './context.ts'
import { type Html, html } from './html.ts'
import { judge, targetUrl } from './targets.ts'

/** How a part is, and what to do about it. */
export interface Judgement {
  readonly level: keyof typeof words
  readonly text: string
  readonly advice?: Html | string
}

/** What stands beside a colour, for those who do not see it. */
export const words = { good: 'fine', warn: 'look', bad: 'act' } as const

/** From when on an entry that is due and not handled is a sign of trouble. */
const SLOW_MS = 60_000
const LATE_MS = 600_000
/** Quiet accounts are looked at so often. */
const QUIET_MS = 3_600_000

export async function judgeParts(context: Context, hold: Hold | null): Promise<Judgement[]> {
  const parts = [judgeStore(context), judgeWorker(context, hold), judgeFailures(context), judgeStripe(context)]
  return [...(await Promise.all(parts)), ...(await judgeTargets(context))]
}

/** A line for each that nothing is sent to, and each that did not take all that is for it. */
async function judgeTargets(context: Context): Promise<Judgement[]> {
  const names = context.targets.map(({ name }) => name)
  const summaries = await surveyTargets(context.inbox, names)
  return summaries.flatMap((summary): Judgement[] => {
    const { name, dead, held } = summary
    const { condition, text } = judge(context, summary)
    const look = html`<a href="${targetUrl(name)}">Look at ${name}</a>`
    if (condition === 'held' || condition === 'circuit open')
      return [{ level: 'bad', text: `Target ${name}: ${text}.`, advice: html`What is for it waits. ${look}` }]
    if (condition === 'not named') return [{ level: 'warn', text: `Target ${name}: ${text}.`, advice: look }]
    if (dead + held === 0) return []
    return [{ level: 'warn', text: `Target ${name}: ${text}.`, advice: html`Mend the cause, then replay. ${look}` }]
  })
}

async function judgeStore({ inbox }: Context): Promise<Judgement> {
  try {
    await inbox.check()
    return { level: 'good', text: 'Store: takes deliveries.' }
  } catch {
    const advice = 'The log tells why: the disk, a lock, or the connection.'
    return { level: 'bad', text: 'Store: takes nothing, and Stripe is answered 503.', advice }
  }
}

async function judgeWorker({ inbox, describeFault }: Context, hold: Hold | null): Promise<Judgement> {
  if (hold !== null) return { level: 'bad', text: 'Handling: held.', advice: 'Resume once the cause is mended.' }
  const fault = describeFault()
  if (fault !== undefined) {
    const advice = 'The log names the events; a restart frees the places, and the handlers want mending.'
    return { level: 'bad', text: `Handling: ${fault}.`, advice }
  }
  const waitsMs = (await inbox.oldestPendingMs()) ?? 0
  if (waitsMs < SLOW_MS) return { level: 'good', text: 'Handling: nothing that is due waits for long.' }
  return {
    level: waitsMs < LATE_MS ? 'warn' : 'bad',
    text: `Handling: what is due has waited for up to ${formatDuration(waitsMs)}.`,
    advice: html`Does a worker run, and are its handlers slow? <a href="/console/events?state=pending">What waits</a>`,
  }
}

async function judgeFailures({ inbox }: Context): Promise<Judgement> {
  const { entries, oldestMs } = await inbox.undealt()
  if (entries === 0) return { level: 'good', text: 'Failures: nothing is dead or parked.' }
  return {
    level: 'warn',
    text: `Failures: ${entries.toLocaleString('en')} dead or parked, the first for ${formatDuration(oldestMs ?? 0)}.`,
    advice: html`Mend the cause, then replay. <a href="/console/failures">Failures</a> <a href="/console/events?state=parked">Parked</a>`,
  }
}

/** What the processes that ask Stripe noted last. */
async function judgeStripe({ inbox, reconcileEveryMs }: Context): Promise<Judgement> {
  const [at, undelivered] = await Promise.all([inbox.readNote(FINISHED_NOTE), inbox.readNote(UNDELIVERED_NOTE)])
  const agoMs = Date.now() - Date.parse(at ?? '')
  if (Number.isNaN(agoMs)) {
    const advice = 'With STRIPE_API_KEY set, what it could not deliver is fetched.'
    return { level: 'warn', text: 'Stripe: not asked yet for what it could not deliver.', advice }
  }
  const isWhole = undelivered === null || undelivered === '0'
  const text = `Stripe: asked ${formatDuration(agoMs)} ago; ${isWhole ? 'it had delivered everything' : `${undelivered} events were undelivered`}.`
  if (reconcileEveryMs !== undefined && agoMs > 2 * Math.max(reconcileEveryMs, QUIET_MS))
    return { level: 'bad', text, advice: 'The log tells what keeps reconcile from ending.' }
  if (!isWhole)
    return { level: 'warn', text, advice: 'They were fetched. Is the address reachable, and are deliveries refused?' }
  return { level: 'good', text }
}
