/** Postgres takes any text but NUL and half a surrogate pair, which what users' functions and targets say may hold. */
export const toStorable = (text: string): string => text.toWellFormed().replaceAll('\0', '\u{fffd}')
