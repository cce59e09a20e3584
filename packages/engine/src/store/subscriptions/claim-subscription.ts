import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"
import type { EventFailure } from "./subscription.ts"

export interface SubscriptionClaim {
  readonly name: string
  /** Who takes it, for people to read. */
  readonly holder: string
  readonly leaseMs: number
}

/** What became of a claim. */
export interface ClaimedSubscription {
  /** `null` when another process holds it. */
  readonly generation: number | null
  /** How long that one's lease still runs. */
  readonly heldMs: number | null
  readonly cursor: string | null
  readonly failure: EventFailure | null
  /** How long until the event that failed is tried again. */
  readonly retryMs: number | null
}

/** Takes a subscription that nobody holds; `undefined` when there is none. */
export async function claimSubscription(
  db: Queryable,
  { name, holder, leaseMs }: SubscriptionClaim,
): Promise<ClaimedSubscription | undefined> {
  const [claimed] = await run<ClaimedSubscription>(db, {
    text: `
      select generation, held_ms as "heldMs", cursor, failure, retry_ms as "retryMs"
      from tasker.claim_subscription($1, $2, $3 * interval '1 millisecond')`,
    values: [name, holder, leaseMs],
  })
  return claimed
}
