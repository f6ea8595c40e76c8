// Goes on with the lines of the live page as they come. What the pointer or the focus is on stays where it is: new rows wait.

/** @typedef {{ key: string, at: string, state: string, what: string, url: string, id: string, note: string }} Line */

const MAX_ROWS = 100
const RETRY_MS = 5_000

const table = document.getElementById('live')
const template = document.getElementById('live-row')
if (table instanceof HTMLTableElement && template instanceof HTMLTemplateElement) start(table, template)

/** @param {HTMLTableElement} table @param {HTMLTemplateElement} template */
function start(table, template) {
  const body = table.tBodies[0] ?? table.createTBody()
  /** @type {Map<string, HTMLTableRowElement>} */
  const rows = new Map([...body.rows].map((row) => [row.dataset.key ?? '', row]))
  /** @type {Map<string, Line>} */
  const waiting = new Map()
  /** @type {EventSource | undefined} */
  let source
  let after = table.dataset.after ?? ''

  /** @param {Line[]} lines */
  function take(lines) {
    for (const line of lines) {
      const row = rows.get(line.key)
      if (row) fill(row, line)
      else waiting.set(line.key, line)
    }
    for (const key of waiting.keys()) if (waiting.size > MAX_ROWS) waiting.delete(key)
    show()
  }

  function show() {
    const isHeld = table.matches(':hover, :focus-within')
    if (!isHeld) {
      for (const line of waiting.values()) body.prepend(makeRow(line))
      waiting.clear()
      for (const row of [...body.rows].slice(MAX_ROWS)) {
        rows.delete(row.dataset.key ?? '')
        row.remove()
      }
      document.dispatchEvent(new Event('times'))
    }
    tell('live-waiting', waiting.size === 0 ? '' : `${waiting.size} new, when the pointer and the focus leave the list`)
  }

  /** @param {Line} line */
  function makeRow(line) {
    const row = template.content.querySelector('tr')?.cloneNode(true)
    if (!(row instanceof HTMLTableRowElement)) throw new TypeError('the page has no row to copy')
    const [link, time] = [row.querySelector('a'), row.querySelector('time')]
    row.dataset.key = line.key
    if (link !== null && line.url !== '') link.href = line.url
    if (link !== null && line.url !== '') link.dataset.row = ''
    if (link !== null) link.textContent = line.what
    if (time !== null) time.dateTime = line.at
    if (time !== null) time.title = `${line.at.replace('T', ' ').replace('Z', ' UTC')}`
    set(row, '.id', line.id)
    rows.set(line.key, row)
    fill(row, line)
    return row
  }

  function open() {
    if (document.hidden || source !== undefined) return
    const opened = new EventSource(`/console/live/stream?after=${encodeURIComponent(after)}`)
    source = opened
    opened.onopen = () => tell('live-state', 'Live')
    opened.onmessage = ({ data, lastEventId }) => {
      after = lastEventId
      take(JSON.parse(data))
    }
    opened.onerror = () => {
      tell('live-state', 'Not live now: trying again')
      if (opened.readyState !== EventSource.CLOSED) return
      // It was refused, and does not try again by itself.
      close()
      setTimeout(open, RETRY_MS)
    }
  }

  function close() {
    source?.close()
    source = undefined
  }

  table.addEventListener('pointerleave', show)
  // The focus is not yet where it goes to.
  table.addEventListener('focusout', () => setTimeout(show))
  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()))
  open()
}

/** What may change of a row: neither its place nor its height. @param {HTMLElement} row @param {Line} line */
function fill(row, line) {
  const state = row.querySelector('.state')
  if (state !== null) state.className = `state ${line.state}`
  set(row, '.state', line.state)
  set(row, '.reason', line.note)
}

/** @param {HTMLElement} row @param {string} selector @param {string} text */
function set(row, selector, text) {
  const found = row.querySelector(selector)
  if (found !== null) found.textContent = text
}

/** @param {string} id @param {string} text */
function tell(id, text) {
  const found = document.getElementById(id)
  if (found !== null && found.textContent !== text) found.textContent = text
}
