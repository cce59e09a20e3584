import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"

/** Sets a subscription to another place. Who holds it finds that it does not any more. @returns whether there is one */
export async function rewindSubscription(db: Queryable, name: string, cursor: string): Promise<boolean> {
  const rows = await run(db, {
    text: `
      update tasker.subscriptions as subscription
      set cursor = $2,
          moved_at = now(),
          generation = subscription.generation + 1,
          holder = null,
          lease_until = null,
          failure = null,
          retry_at = null
      where subscription.name = $1
      returning subscription.name`,
    values: [name, cursor],
  })
  return rows.length > 0
}
