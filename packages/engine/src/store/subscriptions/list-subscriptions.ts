import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"
import type { EventFailure } from "./subscription.ts"

export interface SubscriptionRow {
  readonly name: string
  readonly cursor: string
  readonly holder: string | null
  readonly leaseUntil: Date | null
  readonly isHeld: boolean
  readonly createdAt: Date
  readonly movedAt: Date
  /** Of the next event. */
  readonly failure: Omit<EventFailure, "row"> | null
  readonly retryAt: Date | null
  readonly skippedCount: number
}

/** Durable subscriptions, by their names. @param name - only this one */
export async function listSubscriptions(db: Queryable, name?: string): Promise<readonly SubscriptionRow[]> {
  return await run<SubscriptionRow>(db, {
    text: `
      select
        subscription.name,
        subscription.cursor,
        subscription.holder,
        subscription.lease_until as "leaseUntil",
        coalesce(subscription.lease_until > now(), false) as "isHeld",
        subscription.created_at as "createdAt",
        subscription.moved_at as "movedAt",
        subscription.failure - 'row' as failure,
        subscription.retry_at as "retryAt",
        (
          select count(*)
          from tasker.skipped_events as skipped
          where skipped.subscription = subscription.name
        ) as "skippedCount"
      from tasker.subscriptions as subscription
      where $1::text is null
         or subscription.name = $1
      order by subscription.name`,
    values: [name ?? null],
  })
}
