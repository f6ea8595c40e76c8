// What pages can do beyond links and forms: keys, times that go on, copying. Without it everything still works.

/** @param {string} selector @returns {HTMLElement[]} */
const all = (selector) => [...document.querySelectorAll(selector)].filter((found) => found instanceof HTMLElement)

/** As the server does. @param {number} ms */
function formatDuration(ms) {
  const [second, minute, hour, day] = [1_000, 60_000, 3_600_000, 86_400_000]
  if (ms < second) return `${Math.floor(ms)} ms`
  if (ms < 10 * second) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < 2 * minute) return `${Math.floor(ms / second)} s`
  if (ms < 2 * hour) return `${Math.floor(ms / minute)} min`
  return ms < 2 * day ? `${Math.floor(ms / hour)} h` : `${Math.floor(ms / day)} d`
}

function tellTimes() {
  for (const time of document.querySelectorAll('time')) {
    const ageMs = Date.now() - Date.parse(time.dateTime)
    time.textContent = ageMs < 0 ? `in ${formatDuration(-ageMs)}` : `${formatDuration(ageMs)} ago`
  }
}
for (const time of document.querySelectorAll('time'))
  time.title += ` · ${new Date(time.dateTime).toLocaleString()} here`
setInterval(tellTimes, 10_000)
// For those that come later.
document.addEventListener('times', tellTimes)

/** Selected where the clipboard is closed to pages that came over plain HTTP. @param {HTMLElement} button */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy ?? '')
  if (source === null) return
  getSelection()?.selectAllChildren(source)
  await navigator.clipboard?.writeText(source.textContent ?? '').then(
    () => (button.textContent = 'Copied'),
    () => undefined,
  )
}
for (const button of all('[data-copy]')) {
  button.hidden = false
  button.addEventListener('click', () => void copy(button))
}

/** Moves the focus among rows. @param {1 | -1} step */
function go(step) {
  const rows = all('[data-row]').filter((row) => row.offsetParent !== null)
  const focused = document.activeElement
  const at = focused instanceof HTMLElement ? rows.indexOf(focused) : -1
  const next = at === -1 ? rows.at(step === 1 ? 0 : -1) : rows[Math.min(rows.length - 1, Math.max(0, at + step))]
  next?.focus()
}

/** @type {Record<string, () => void>} */
const keys = {
  '/': () => all('[data-key="/"]')[0]?.focus(),
  j: () => go(1),
  k: () => go(-1),
  // Of the row that has the focus, or the page's own.
  r() {
    const key = '[data-key="r"]'
    const found = document.activeElement?.closest('tr')?.querySelector(key) ?? document.querySelector(key)
    if (found instanceof HTMLElement) found.focus()
  },
  '?'() {
    const dialog = document.getElementById('keys')
    if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal()
  },
}
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof Element && event.target.matches('input, select, textarea')
  if (isTyping && event.key === 'Escape' && event.target instanceof HTMLElement) event.target.blur()
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return
  event.preventDefault()
  keys[event.key]?.()
})
