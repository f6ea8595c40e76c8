import { makeScratch } from './scratch.ts'

/** Once for all tests: what node compiles is kept for all processes after it, since hundreds of them load the same modules. */
export default async function setup(): Promise<() => Promise<void>> {
  const { path, remove } = await makeScratch()
  process.env.NODE_COMPILE_CACHE = path
  return remove
}
