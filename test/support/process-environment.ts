/** What every process of ours is given of this one's environment: where programs are, and the compiled code that the tests share. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  const { PATH, NODE_COMPILE_CACHE } = process.env
  return { PATH, NODE_COMPILE_CACHE }
}
