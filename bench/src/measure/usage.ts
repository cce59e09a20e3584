import type { Counters, Usage } from "../processes/apis.ts"
import { knownPglite, publishStatistics, readRoundTrips } from "./round-trips.ts"

/** What this process has used so far, the asking left out. */
export async function readUsage(): Promise<Usage> {
  const { all, advances } = readRoundTrips()
  const { user, system } = process.cpuUsage()
  await publishStatistics()
  return { cpuMs: (user + system) / 1_000, roundTrips: all, advances, counters: await pgliteCounters() }
}

/** The same of every server: bytes of log since it was made, and transactions that were committed. */
export const READ_COUNTERS = `
  select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8 as wal_bytes, xact_commit::float8 as commits
  from pg_stat_database
  where datname = `

async function pgliteCounters(): Promise<Counters | null> {
  const pglite = knownPglite()
  if (pglite === undefined) return null
  await pglite.exec("select pg_stat_force_next_flush()")
  const { rows } = await pglite.query<{ wal_bytes: number; commits: number }>(`${READ_COUNTERS} current_database()`)
  const [row] = rows
  return row === undefined ? null : { walBytes: row.wal_bytes, commits: row.commits }
}
