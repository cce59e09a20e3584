import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"

/** A worker that registered itself. */
export interface WorkerDetails {
  readonly workerId: number
  readonly name: string
  readonly host: string
  readonly pid: number
  /** `overdue`: its lease ran out, and nobody has taken its steps back yet. */
  readonly state: "live" | "overdue" | "lost" | "stopped"
  /** How many steps it runs at once. */
  readonly concurrency: number
  readonly leaseMs: number
  readonly queues: readonly string[]
  readonly runningSteps: number
  readonly startedAt: Date
  readonly heartbeatAt: Date
  /** When it stopped or was given up. */
  readonly endedAt: Date | null
}

/** Workers, the newest first. */
export async function listWorkers(
  db: Queryable,
  options: { readonly live: boolean; readonly limit: number },
): Promise<readonly WorkerDetails[]> {
  return await run<WorkerDetails>(db, {
    text: `
      select
        worker_id as "workerId",
        name,
        host,
        pid,
        state,
        concurrency,
        lease_ms as "leaseMs",
        queues,
        running_steps as "runningSteps",
        started_at as "startedAt",
        heartbeat_at as "heartbeatAt",
        ended_at as "endedAt"
      from tasker.list_workers($1, $2)`,
    values: [options.live, options.limit],
  })
}
