import { createRequestBudget, type RequestBudget } from './request-budget.ts'

/** What all requests of a process share: a budget for each operation of Stripe's API, as its own limits are, and one for all together. */
export interface OperationBudgets {
  /** Resolves when it is the caller's turn to send one request; rejects with the signal's reason. */
  take(operation: string, signal?: AbortSignal): Promise<void>
}

/** Operations whose budgets are kept; the oldest goes first. There are some six hundred in the SDK. */
const MAX_OPERATIONS = 1_000

/** Both in requests a second, more than 0. */
export function createOperationBudgets(perOperation: number, together: number): OperationBudgets {
  const all = createRequestBudget(together)
  const budgets = new Map<string, RequestBudget>()

  function budgetOf(operation: string): RequestBudget {
    const budget = budgets.get(operation) ?? createRequestBudget(perOperation)
    budgets.delete(operation)
    budgets.set(operation, budget)
    if (budgets.size > MAX_OPERATIONS) budgets.delete(budgets.keys().next().value ?? '')
    return budget
  }

  return {
    async take(operation, signal) {
      await budgetOf(operation).take(signal)
      await all.take(signal)
    },
  }
}

/**
 * Name of the operation that a request is, as Stripe limits them: `GET /v1/payouts/:id` whichever the payout is.
 * docs.stripe.com/rate-limits
 */
export function operationOf(method: string, path: string): string {
  const [plain = ''] = path.split('?')
  const segments = plain.split('/').map((segment) => (/^([a-z_]*|v\d+)$/.test(segment) ? segment : ':id'))
  return `${method} ${segments.join('/')}`
}
