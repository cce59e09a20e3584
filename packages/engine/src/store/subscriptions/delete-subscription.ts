import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"

/** Deletes a subscription that nobody holds, and what it has set aside. @returns whether there was one */
export async function deleteSubscription(db: Queryable, name: string): Promise<boolean> {
  const rows = await run(db, {
    text: `
      with gone as (
        delete from tasker.subscriptions as subscription
        where subscription.name = $1
          and (subscription.lease_until is null or subscription.lease_until <= now())
        returning subscription.name
      ),
      skipped as (
        delete from tasker.skipped_events as skipped
        using gone
        where skipped.subscription = gone.name
      )
      select gone.name from gone`,
    values: [name],
  })
  return rows.length > 0
}
