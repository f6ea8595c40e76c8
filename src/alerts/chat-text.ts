const MAX_REASON = 200

/**
 * What a person may read of a failure's text: its first line, 200 characters at most, without control and invisible characters. It
 * ends where JSON or an object begins: that may be a payload.
 */
export function firstLineOf(reason: string): string {
  const line = reason.trimStart().split('\n', 1)[0] ?? ''
  const cut = line.slice(0, MAX_REASON).replace(/(?:[{[]\s*["'{[]|\{\s*\w+\s*:).*$/, '…')
  return cut.replace(/[\s\p{C}]+/gu, ' ').trim()
}

/**
 * Foreign text for a chat: in a code span, where Markdown and links mean nothing, with what Slack reads escaped, and a zero-width
 * space after each `@`, so that nobody is called. docs.slack.dev/messaging/formatting-message-text
 */
export function quote(text: string): string {
  return `\`${escapeSlack(text).replaceAll('`', "'").replaceAll('@', '@\u200b')}\``
}

/** A type or id, quoted unless it is as Stripe writes them. */
export function name(text: string): string {
  return isPlain(text) ? text : quote(text)
}

/** Whether it means nothing to a chat, nor to a shell. */
export function isPlain(text: string): boolean {
  return /^\w[\w.-]*$/.test(text)
}

function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
