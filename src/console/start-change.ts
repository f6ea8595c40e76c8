import type { Inbox, Summary } from '../inbox/inbox.ts'
import { toFields } from '../operations/filter.ts'
import { type ChangeRequest, requestChange } from '../operations/run-changes.ts'
import { actionUrl } from './actions.ts'
import { changeUrl, MAX_PER_SECOND, readAsked, refuseChange } from './changes.ts'
import type { Answer, Visit } from './context.ts'
import { html } from './html.ts'

/** Has a server do what was confirmed, and goes to where its progress is shown. */
export async function startChange({ context: { inbox }, operator: who, form }: Visit): Promise<Answer> {
  const asked = readAsked(form)
  if ('status' in asked) return asked
  const { verb, choice } = asked
  const again = html`<a href="${changeUrl(verb, choice)}">Preview it again</a>`
  const rate = form.get('perSecond')?.trim() ?? ''
  const perSecond = readNumber(rate, MAX_PER_SECOND)
  if (rate !== '' && perSecond === undefined)
    return refuseChange(`A rate is a whole number from 1 to ${MAX_PER_SECOND}.`, again)
  const preview = await readPreview(inbox, form)
  if (preview === undefined) return refuseChange('Nothing of what was shown is there to be changed.', again)
  const request = {
    who,
    from: 'console',
    verb,
    choice,
    preview,
    ...(perSecond !== undefined && { perSecond }),
  } as const
  return { location: actionUrl((await findRunning(inbox, request)) ?? (await requestChange(inbox, request))) }
}

/** What was shown, as long as its first and last entries are still here. */
async function readPreview(inbox: Inbox, form: URLSearchParams): Promise<ChangeRequest['preview'] | undefined> {
  const [newest, oldest] = [form.get('newest') ?? '', form.get('oldest') ?? '']
  const entries = readNumber(form.get('entries') ?? '', Number.MAX_SAFE_INTEGER)
  const found = new Set((await inbox.lookUp([newest, oldest])).map(({ eventId }) => eventId))
  return entries !== undefined && found.has(newest) && found.has(oldest) ? { entries, newest, oldest } : undefined
}

/** The same that runs already, as after a button that was pressed twice. */
async function findRunning(inbox: Inbox, { verb, choice, preview }: ChangeRequest): Promise<number | undefined> {
  const filter = toFields(choice).toString()
  const isSame = (shown: Pick<Partial<Summary>, 'newest' | 'oldest'>) =>
    shown.newest === preview.newest && shown.oldest === preview.oldest
  const running = await inbox.actions({ limit: 20, state: 'running' })
  return running.find(({ facts }) => facts.verb === verb && facts.filter === filter && isSame(facts))?.id
}

/** A whole number from 1; undefined for anything else. */
function readNumber(text: string, max: number): number | undefined {
  return /^[1-9]\d{0,15}$/.test(text) && Number(text) <= max ? Number(text) : undefined
}
