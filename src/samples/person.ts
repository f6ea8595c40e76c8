import type Stripe from 'stripe'
import type { SampleFacts } from './facts.ts'

/** Requirements of which none is open. */
export const nothingDue = {
  alternatives: [],
  currently_due: [],
  errors: [],
  eventually_due: [],
  past_due: [],
  pending_verification: [],
}

/** An account's representative whose identity document was refused. */
export function samplePerson(facts: SampleFacts): Stripe.Person {
  const document = { back: null, details: null, details_code: null, front: null }
  const refused = { ...document, details: 'The document is too blurry', details_code: 'document_too_blurry' }
  return {
    id: facts.createId('person_'),
    object: 'person',
    account: facts.account,
    additional_tos_acceptances: { account: null },
    address: { city: 'Dublin', country: 'IE', line1: '1 Grand Canal', line2: null, postal_code: 'D02', state: null },
    created: facts.createdSeconds - 90 * 86_400,
    dob: { day: 1, month: 2, year: 1990 },
    email: 'jenny@example.com',
    first_name: 'Jenny',
    future_requirements: nothingDue,
    id_number_provided: true,
    last_name: 'Rosen',
    metadata: {},
    relationship: {
      authorizer: false,
      director: false,
      executive: true,
      legal_guardian: false,
      owner: true,
      percent_ownership: 100,
      representative: true,
      title: 'CEO',
    },
    requirements: {
      ...nothingDue,
      currently_due: ['verification.document'],
      eventually_due: ['verification.document'],
      past_due: ['verification.document'],
    },
    ssn_last_4_provided: false,
    verification: {
      additional_document: document,
      details: null,
      details_code: null,
      document: refused,
      status: 'unverified',
    },
  }
}
