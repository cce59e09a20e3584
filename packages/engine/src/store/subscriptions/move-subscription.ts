import type { Queryable } from "../../core/database.ts"
import { runOne } from "../run.ts"
import type { EventFailure, HeldSubscription } from "./subscription.ts"

export interface SubscriptionMove {
  /** Behind the last event that was handled; none when none was since the last call. */
  readonly cursor?: string | undefined
  /** Why the event that comes next could not be handled, and how long until it is tried again. */
  readonly failure?: (EventFailure & { readonly retryMs: number }) | undefined
  /** How long it is held without another word; `null` gives it up. */
  readonly leaseMs: number | null
}

/** Says how far a subscription has come, and holds it for longer. @returns whether this process still held it */
export async function moveSubscription(
  db: Queryable,
  { name, generation }: HeldSubscription,
  { cursor, failure, leaseMs }: SubscriptionMove,
): Promise<boolean> {
  const { retryMs = null, ...why } = failure ?? {}
  const { held } = await runOne<{ held: boolean }>(db, {
    name: "tasker.move_subscription",
    text: "select tasker.move_subscription($1, $2, $3, $4, $5, $6 * interval '1 millisecond') as held",
    values: [name, generation, cursor ?? null, failure === undefined ? null : JSON.stringify(why), retryMs, leaseMs],
  })
  return held
}
