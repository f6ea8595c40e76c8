/** How a try to send ended. */
export interface Sent {
  readonly isSent: boolean
  /** What came back, such as `status 200` or `no answer: ECONNREFUSED`; never anything of the URL. */
  readonly answer: string
}

/** Posts a message as JSON. Never rejects; the signal cuts it off. */
export type Send = (message: object, signal?: AbortSignal) => Promise<Sent>

const ANSWER_WITHIN_MS = 5_000

/** The URL of a chat's webhook is all that it takes to post there: nothing tells it. */
export function createSend(url: URL, withinMs = ANSWER_WITHIN_MS): Send {
  return async (message, stopped) => {
    const timeUp = AbortSignal.timeout(withinMs)
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(message),
        // Only where the operator said.
        redirect: 'manual',
        signal: stopped === undefined ? timeUp : AbortSignal.any([timeUp, stopped]),
      })
      // What it says could be the URL itself.
      void response.body?.cancel().catch(() => undefined)
      return { isSent: response.ok, answer: `status ${response.status}` }
    } catch (error) {
      if (timeUp.aborted) return { isSent: false, answer: `no answer within ${withinMs} ms` }
      return { isSent: false, answer: stopped?.aborted ? 'cut off by the stop' : `no answer: ${codeOf(error)}` }
    }
  }
}

/** `fetch failed` has its cause's code. Messages are not told: some hold what was asked for. */
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'no connection'
}
