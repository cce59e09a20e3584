import type { Queryable } from "../../core/database.ts"
import { run } from "../run.ts"

/** Makes a subscription that stands behind `cursor`, unless there is one of that name: then it stays as it is. */
export async function createSubscription(db: Queryable, name: string, cursor: string): Promise<void> {
  await run(db, {
    text: `
      insert into tasker.subscriptions (name, cursor, generation, created_at, moved_at)
      values ($1, $2, 0, now(), now())
      on conflict (name) do nothing`,
    values: [name, cursor],
  })
}
