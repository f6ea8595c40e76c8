import type { Response } from 'express'

/** Ends it with a sentence, as plain text. */
export function refuse(res: Response, status: number, sentence: string): void {
  res.status(status).type('text/plain').send(`${sentence}\n`)
}
