import type { Queryable } from "../core/database.ts"
import { runOne } from "./run.ts"

export interface WorkerRegistration {
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly concurrency: number
  readonly routes: readonly number[]
  readonly leaseMs: number
}

/** Makes a worker known, and its lease begin. Returns its id, which was never used before. */
export async function registerWorker(db: Queryable, worker: WorkerRegistration): Promise<number> {
  const row = await runOne<{ worker_id: number }>(db, {
    text: "select tasker.register_worker($1, $2, $3, $4, $5::integer[], $6 * interval '1 millisecond') as worker_id",
    values: [worker.name, worker.host, worker.pid, worker.concurrency, worker.routes, worker.leaseMs],
  })
  return row.worker_id
}
