/** How far a long command has come. */
export interface Progress {
  update(count: number): void
  /** Takes a rewritten line off the terminal; safe to repeat. */
  end(): void
}

const LINE_EVERY = 1_000
const CLEAR_LINE = '\r\u001b[K'

/** On a terminal one line that is rewritten, else a line for each further 1,000. */
export function createProgress(
  stream: { readonly isTTY?: boolean; write(text: string): unknown },
  describe: (count: number) => string,
): Progress {
  let told = 0
  return {
    update(count) {
      if (stream.isTTY) return void stream.write(`${CLEAR_LINE}${describe(count)}`)
      if (count - told < LINE_EVERY) return
      told = count - (count % LINE_EVERY)
      stream.write(`${describe(count)}\n`)
    },
    end() {
      if (stream.isTTY) stream.write(CLEAR_LINE)
    },
  }
}
