import { entryStates } from '../event.ts'
import { type Choice, type FilterWord, filterWords } from '../operations/filter.ts'
import { type Html, html } from './html.ts'

const titles: Readonly<Record<Exclude<FilterWord, 'state'>, string>> = {
  type: 'Type, * for any',
  account: 'Account',
  object: 'Object id',
  id: 'Event id',
  value: 'Searchable value',
  shape: 'Shape',
  source: 'Source',
  reason: 'Text of the reason',
  since: 'Since',
  until: 'Until',
}
const samples: Readonly<Partial<Record<FilterWord, string>>> = {
  type: 'payment_intent.*',
  account: 'acct_…',
  object: 'pi_…',
  id: 'evt_…',
  value: 'cus_…',
  since: '2h or 2026-11-21T10:00Z',
  until: '30m or an instant, in UTC',
}
const choices: Readonly<Partial<Record<FilterWord, readonly string[]>>> = {
  shape: ['snapshot', 'thin'],
  source: ['delivery', 'reconcile'],
}

/** A form whose fields become the address of a page: the texts as they were written, and what is wrong with one. */
export function showFilterForm(
  action: string,
  texts: URLSearchParams,
  faults: readonly FilterWord[],
  choice: Choice,
): Html {
  const states = choice.state?.split(',') ?? []
  const fields = Object.entries(titles) as [keyof typeof titles, string][] // a literal's own keys are all that Object.entries gives
  const isOpen = faults.length > 0 || Object.keys(choice).length > 0
  return html`<details class="filter" ${isOpen && html`open`}><summary>Filter</summary>
<form action="${action}"><fieldset><legend>State</legend>${entryStates.map(
    (state) =>
      html`<label class="check"><input type="checkbox" name="state" value="${state}" ${states.includes(state) && html`checked`}>${state}</label>\n`,
  )}</fieldset>
<div class="fields">${fields.map(([word, title]) => showField(word, title, texts.get(word) ?? '', faults.includes(word)))}</div>
<p><button>Filter</button> <a href="${action}">Clear</a></p></form></details>`
}

function showField(word: FilterWord, title: string, text: string, isFaulty: boolean): Html {
  const options = choices[word]
  const field = options
    ? html`<select name="${word}"><option value=""></option>${options.map(
        (option) => html`<option ${option === text && html`selected`}>${option}</option>`,
      )}</select>`
    : html`<input name="${word}" value="${text}" placeholder="${samples[word] ?? ''}" maxlength="255" ${isFaulty && html`aria-invalid="true"`}>`
  return html`<label>${title}${field}${isFaulty && html`<strong>${filterWords[word].expected}</strong>`}</label>\n`
}
