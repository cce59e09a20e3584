import { PGlite } from "@electric-sql/pglite"
import pg from "pg"

/** How often this process asked the database for something. */
export interface RoundTrips {
  /** All statements: each is one round trip. */
  readonly all: number
  /** Of these, calls of `tasker.advance`. */
  readonly advances: number
}

let all = 0
let advances = 0
const clients = new Set<pg.Client>()
const sessions = new Set<PGlite>()

/** What was asked so far. */
export function readRoundTrips(): RoundTrips {
  return { all, advances }
}

/** The PGlite that was asked in this process, if any was. */
export function knownPglite(): PGlite | undefined {
  return [...sessions][0]
}

/**
 * Makes every statement of this process count, whichever library sends it: the driver itself is wrapped, so that what is
 * measured is what reaches it.
 */
export function countRoundTrips(): void {
  const query = methodOf(pg.Client.prototype, "query")
  Object.assign(pg.Client.prototype, {
    query(this: pg.Client, ...statement: unknown[]): unknown {
      if (!clients.has(this)) {
        clients.add(this)
        this.once("end", () => clients.delete(this))
      }
      count(statement[0])
      return query.apply(this, statement)
    },
  })
  const ask = methodOf(PGlite.prototype, "query")
  Object.assign(PGlite.prototype, {
    query(this: PGlite, ...statement: unknown[]): unknown {
      sessions.add(this)
      count(statement[0])
      return ask.apply(this, statement)
    },
  })
}

/**
 * Makes the server publish what the connections of this process did. It keeps counts back for a second at least, and a
 * connection that is idle tells nothing by itself.
 */
export async function publishStatistics(): Promise<void> {
  const before = { all, advances }
  await Promise.all(
    [...clients].map((client) => client.query("select pg_stat_force_next_flush()").catch(() => undefined)),
  )
  all = before.all
  advances = before.advances
}

function methodOf(prototype: object, name: string): (...values: unknown[]) => unknown {
  const method: unknown = Reflect.get(prototype, name)
  if (typeof method !== "function") throw new Error(`the driver has no ${name}(): statements cannot be counted`)
  // It takes what it is given on, whatever that is.
  return method as (...values: unknown[]) => unknown
}

function count(statement: unknown): void {
  const text = typeof statement === "object" && statement !== null && "text" in statement ? statement.text : statement
  if (typeof text !== "string") return
  all++
  if (text.includes("tasker.advance(")) advances++
}
