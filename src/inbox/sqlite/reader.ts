import { toOpenError, toReceiverError } from './faults.ts'
import { openForReading } from './file.ts'
import { prepareQueries, type Queries } from './queries.ts'
import { type Answered, type Served, toFailure } from './serve-thread.ts'

export interface ReaderData {
  readonly path: string
}

/** A method of the queries with what it takes. */
export type ReadRequest = {
  readonly [Name in keyof Queries]: readonly [name: Name, ...given: Parameters<Queries[Name]>]
}[keyof Queries]

/** What the thread that reads does: opens the inbox's file, as openForReading says, and answers by `reply`. */
export function openReader(
  { path }: ReaderData,
  reply: (answers: readonly Answered<unknown>[]) => void,
): Served<ReadRequest> {
  const file = openForReading(path)
  let queries: Queries
  try {
    queries = prepareQueries(file.db)
  } catch (error) {
    file.close()
    throw toOpenError(file.path, error)
  }

  async function answer(id: number, [name, ...given]: ReadRequest): Promise<Answered<unknown>> {
    try {
      // The request's type pairs each name with what its method takes.
      const query = queries[name] as (...given: readonly unknown[]) => unknown
      return { id, answer: await query(...given) }
    } catch (error) {
      return { id, failure: toFailure(toReceiverError(error)) }
    }
  }

  return {
    // A search answers in steps: what is asked meanwhile is answered in between.
    handle: ({ id, request }) => void answer(id, request).then((answered) => reply([answered])),
    close: file.close,
  }
}
