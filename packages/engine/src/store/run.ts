import type { Queryable, Statement } from "../core/database.ts"
import { asTaskerError } from "./sql-error.ts"

/** Runs a statement of ours; what our functions raise becomes a `TaskerError`. */
export async function run<Row>(db: Queryable, statement: Statement): Promise<readonly Row[]> {
  try {
    return await db.query<Row>(statement)
  } catch (error) {
    throw asTaskerError(error)
  }
}

/** Runs a statement that gives exactly one row. */
export async function runOne<Row>(db: Queryable, statement: Statement): Promise<Row> {
  const [row] = await run<Row>(db, statement)
  // Every such statement is a call of a function that returns one row whatever happens.
  return row as Row
}
