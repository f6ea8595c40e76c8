// Brings what runs up to date. Without it there is a link that does.

const EVERY_MS = 1_000

/** The page as it is now: of a request that the browser parses itself. @returns {Promise<Document | null>} */
const load = () =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest()
    request.responseType = 'document'
    request.addEventListener('loadend', () => resolve(request.status === 200 ? request.responseXML : null))
    request.open('GET', location.href)
    request.send()
  })

async function follow() {
  for (let running = find(); running.length > 0; running = find()) {
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    const now = document.hidden ? null : await load()
    if (now === null) continue
    for (const shown of running) {
      const fresh = now.getElementById(shown.id)
      if (fresh?.hasAttribute('data-progress') !== true) end(shown.id, now.title)
      if (fresh === null) shown.removeAttribute('data-progress')
      else shown.replaceWith(fresh)
    }
  }
}
const find = () => document.querySelectorAll('[data-progress]')

/** Takes what is there while it runs away. @param {string} id @param {string} title */
function end(id, title) {
  document.querySelector(`[data-while="${id}"]`)?.remove()
  document.title = title
}

void follow()
