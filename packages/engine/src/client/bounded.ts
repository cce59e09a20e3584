import type { Database, Queryable } from "../core/database.ts"

/** A database of which every statement must be answered before one moment. */
export interface Bounded extends Queryable {
  /** How much time is left, in milliseconds; 1 when it is over. */
  remainingMs(): number
}

/** Lets all statements together take so long, in milliseconds. */
export function bounded(database: Database, timeoutMs: number): Bounded {
  const endsAt = performance.now() + timeoutMs
  const remainingMs = () => Math.max(1, endsAt - performance.now())
  return { remainingMs, query: (statement) => database.queryWithin(statement, remainingMs()) }
}
