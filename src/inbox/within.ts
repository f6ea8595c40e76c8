import { ReceiverError } from '../errors.ts'

/** A delivery is answered and readiness told within two seconds, also when the store hangs. */
export const ANSWER_WITHIN_MS = 1_900

/** Rejects with `store_unavailable` after that time; what was begun goes on, and whether it succeeds is nobody's concern. */
export function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const tell = () => reject(new ReceiverError('store_unavailable', `The store did not answer within ${ms} ms.`))
  const timer = setTimeout(tell, ms)
  void work.then(resolve, reject).then(() => clearTimeout(timer))
  return promise
}
