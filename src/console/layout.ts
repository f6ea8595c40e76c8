import type { Assets } from './assets.ts'
import { type Page, parts, type Visit } from './context.ts'
import { showHold } from './hold.ts'
import { type Html, html } from './html.ts'

/** The whole document around a page. */
export function layOut(visit: Visit, assets: Assets, page: Page): string {
  const { context, operator } = visit
  const { title, body, part, assets: further = [] } = page
  const head = ['console.css', ...further] as const
  const scripts = ['console.js', ...further] as const
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · stripe-webhook-receiver</title>
<link rel="icon" href="${assets.urlOf('icon.svg')}">
${head.filter((name) => name.endsWith('.css')).map((name) => html`<link rel="stylesheet" href="${assets.urlOf(name)}">\n`)}${scripts
  .filter((name) => name.endsWith('.js'))
  .map(
    (name) => html`<script ${isModule(name) && html`type="module"`} defer src="${assets.urlOf(name)}"></script>\n`,
  )}</head>
<body>
<a class="skip" href="#main">Skip to the page</a>
<header>
<nav aria-label="Pages">${Object.entries(parts).map(
    ([path, name]) =>
      (path !== '/console/targets' || visit.hasTargets) &&
      html`<a href="${path}" ${path === part && html`aria-current="page"`}>${name}</a>`,
  )}</nav>
${renderMode(context.mode)}
<form role="search" action="/console/events"><input type="search" name="q" aria-label="Find by event id, object id or value"
 placeholder="evt_… or an object's id" data-key="/" maxlength="255"><button>Find</button></form>
<span class="who">${operator}${context.isReadOnly && ' · read-only'}</span>
</header>
${showHold(visit)}
<main id="main" tabindex="-1">
${body}
</main>
${keys}
</body>
</html>
`
  return document.toString()
}

/** uPlot is an older kind of script, which names itself globally. */
const isModule = (name: string) => name !== 'uplot.js'

function renderMode(mode: Visit['context']['mode']): Html {
  const told = { live: 'events of live mode', test: 'events of test mode', any: 'events of both modes' }
  return html`<span class="mode ${mode}" title="This server handles ${told[mode]} (STRIPE_MODE)">${mode === 'any' ? 'live + test' : mode}</span>`
}

/** Shown by `?`. */
const keys = html`<dialog id="keys" aria-label="Keys"><dl class="facts">
<dt><kbd>/</kbd></dt><dd>find</dd>
<dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next and previous row</dd>
<dt><kbd>Enter</kbd></dt><dd>open the row, or press the button</dd>
<dt><kbd>r</kbd></dt><dd>to what replays the row or the page; Enter presses it</dd>
<dt><kbd>?</kbd></dt><dd>these keys</dd>
</dl><form method="dialog"><button>Close</button></form></dialog>`
