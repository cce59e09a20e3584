import type { Queryable } from "../../core/database.ts"
import { runOne } from "../run.ts"

/** What PostgreSQL says of itself; `null` where it does not say. */
export interface DatabaseHealthRow {
  readonly oldestPid: number | null
  readonly oldestApplication: string | null
  readonly oldestState: string | null
  readonly oldestBeganAt: Date | null
  readonly oldestAgeMs: number | null
  readonly horizonXids: number | null
  readonly horizonHeldBy: "session" | "prepared_transaction" | "replication_slot" | null
  readonly connections: number | null
  readonly maxConnections: number
  readonly queueLiveRows: number | null
  readonly queueDeadRows: number | null
  readonly queueVacuumedAt: Date | null
  readonly queueBytes: number
  readonly databaseBytes: number
}

/** Reads the statistics of the server; no rows. */
export async function databaseHealth(db: Queryable): Promise<DatabaseHealthRow> {
  return await runOne<DatabaseHealthRow>(db, {
    text: `
      select
        oldest_pid as "oldestPid",
        oldest_application as "oldestApplication",
        oldest_state as "oldestState",
        oldest_began_at as "oldestBeganAt",
        oldest_age_ms as "oldestAgeMs",
        horizon_xids as "horizonXids",
        horizon_held_by as "horizonHeldBy",
        connections,
        max_connections as "maxConnections",
        queue_live_rows as "queueLiveRows",
        queue_dead_rows as "queueDeadRows",
        queue_vacuumed_at as "queueVacuumedAt",
        queue_bytes as "queueBytes",
        database_bytes as "databaseBytes"
      from tasker.database_health()`,
  })
}
