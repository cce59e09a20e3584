import type { Queryable } from "../../core/database.ts"
import type { TaskRecord } from "../../core/exporter.ts"
import { run } from "../run.ts"
import { type ExportedRows, type ExportPage, type PageSize, type ReadRow, toPage } from "./exported-rows.ts"

export interface ExportedTasks extends ExportedRows {
  /** The last task of the page before. */
  readonly after: string
  readonly end: string
  readonly withInput: boolean
}

/** A task; its input is null unless it was asked for. */
export type ExportedTask = Omit<TaskRecord, "kind" | "durationMs">

/** A page of the tasks that were created in a period, the oldest first. */
export async function exportTasks(
  db: Queryable,
  wanted: ExportedTasks,
  size: PageSize,
): Promise<ExportPage<ExportedTask, string>> {
  const { namespace, workflow, version, states, since, until, after, end, withInput } = wanted
  const read = await run<ExportedTask & ReadRow>(db, {
    name: "tasker.export_tasks",
    text: `
      select
        task_id as "taskId",
        matches,
        namespace,
        workflow,
        version,
        state,
        priority,
        created_at as "createdAt",
        started_at as "startedAt",
        finished_at as "finishedAt",
        paused_at as "pausedAt",
        tags,
        attributes,
        correlation_id as "correlationId",
        initiator,
        source_system as "sourceSystem",
        reason,
        input
      from tasker.export_tasks($1, $2, $3, $4::tasker.state[], $5, $6, $7, $8, $9, $10, $11)`,
    values: [namespace, workflow, version, states, since, until, after, end, size.rows, size.bytes, withInput],
  })
  return toPage(read, ({ taskId }) => taskId)
}
