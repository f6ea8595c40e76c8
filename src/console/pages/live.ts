import type { Page } from '../context.ts'
import { type Feed, type Line, MAX_SHOWN } from '../feed.ts'
import { type Html, html } from '../html.ts'
import type { Tails } from '../tails.ts'
import { showTime } from '../time.ts'

const PATH = '/console/live'

/** The newest lines, which `live.js` goes on with. */
export async function showLive(feed: Feed, tails: Tails): Promise<Page> {
  await feed.look()
  const lines = feed.since(0).lines.toReversed().slice(0, MAX_SHOWN)
  const body = html`<h1>Live</h1>
<p class="live"><span id="live-state" role="status"></span> <span id="live-waiting"></span></p>
<noscript><p><a href="${PATH}">Refresh</a></p></noscript>
<table id="live" class="entries" data-after="${tails.cursor()}"><caption>Newest on top. What arrives, and its state, is of all processes;
refusals, and how long an attempt took, are of the one that serves this page</caption>
<thead><tr><th scope="col" class="status">State</th><th scope="col">Event or refusal</th><th scope="col" class="when">Came</th><th scope="col"
 class="wide">Note</th></tr></thead><tbody>${lines.map(showRow)}</tbody></table>
<template id="live-row">${showRow({ key: '', at: new Date(0).toISOString(), state: 'note', what: '', url: '', id: '', note: '' })}</template>`
  return { title: 'Live', part: PATH, body, assets: ['live.js'] }
}

function showRow({ key, at, state, what, url, id, note }: Line): Html {
  return html`<tr data-key="${key}"><td><span class="state ${state}">${state}</span></td><td class="main"><a ${url !== '' && html`data-row href="${url}"`}>${what}</a><span
 class="id">${id}</span></td><td class="when">${showTime(new Date(at))}</td><td class="wide reason">${note}</td></tr>
`
}
