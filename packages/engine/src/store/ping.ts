import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"

/** Resolves when the database answers. */
export async function ping(db: Queryable): Promise<void> {
  await run(db, { text: "select" })
}
