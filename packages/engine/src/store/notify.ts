import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"

/** Sends one notification. It is only a hint, so its commit does not wait for the disk. */
export async function notify(db: Queryable, channel: string, payload: string): Promise<void> {
  await run(db, {
    name: "tasker.notify",
    text: "select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)",
    values: [channel, payload],
  })
}
