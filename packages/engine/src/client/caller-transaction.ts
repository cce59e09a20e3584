import type { Queryable } from "../core/database.ts"

/** The caller's own client, inside a transaction: one of `pg`, a transaction of PGlite, or whatever has such a `query`. */
export interface CallerTransaction {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>
}

/** Lets the store speak through a caller's client. Statements are not prepared there: the connection is not ours. */
export function queryableOf(transaction: CallerTransaction): Queryable {
  return {
    async query<Row>({ text, values }: { readonly text: string; readonly values?: readonly unknown[] }) {
      const { rows } = await transaction.query(text, [...(values ?? [])])
      // As for our own databases, the statement says what its rows are.
      return rows as readonly Row[]
    },
  }
}
