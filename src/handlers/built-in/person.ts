import type { HandlerContext } from '../../event.ts'
import { notFetched, type ObjectOf } from './related-object.ts'

type Person = ObjectOf<'person.updated'>

/** Says how far a person's verification is. Warns once a requirement is past due. Holds nothing personal. */
export function personUpdated(person: Person | undefined, ctx: HandlerContext): void {
  const facts = person ? factsOf(person) : notFetched
  const level = person?.requirements?.past_due?.length ? 'warn' : 'info'
  ctx.log[level]({ objectId: ctx.entry.objectId, ...facts }, 'person updated')
}

function factsOf(person: Person) {
  return {
    verificationStatus: person.verification?.status ?? null,
    verificationCode: person.verification?.details_code ?? null,
    pastDue: person.requirements?.past_due ?? null,
    currentlyDue: person.requirements?.currently_due ?? null,
  }
}
