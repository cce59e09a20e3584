import type { Queryable } from "../../core/database.ts"
import type { TransitionRecord } from "../../core/exporter.ts"
import { run } from "../run.ts"
import type { StoredError } from "../task.ts"
import { type ExportedRows, type ExportPage, type PageSize, type ReadRow, toPage } from "./exported-rows.ts"

/** A row of history; its payload is null unless it was asked for. */
export interface ExportedTransitions extends Omit<ExportedRows, "states"> {
  /** The last row of the page before. */
  readonly after: number
  readonly end: number
  readonly withPayload: boolean
}

/** A row of history; its payload is null unless it was asked for. */
export interface ExportedTransition extends Omit<
  TransitionRecord,
  "kind" | "errorName" | "errorCode" | "errorMessage"
> {
  readonly error: StoredError | null
}

/** A page of the history of a period, in its order. */
export async function exportTransitions(
  db: Queryable,
  wanted: ExportedTransitions,
  size: PageSize,
): Promise<ExportPage<ExportedTransition, number>> {
  const { namespace, workflow, version, since, until, after, end, withPayload } = wanted
  const read = await run<ExportedTransition & ReadRow>(db, {
    name: "tasker.export_transitions",
    text: `
      select
        transition_id as "transitionId",
        matches,
        at,
        task_id as "taskId",
        namespace,
        workflow,
        version,
        step,
        from_state as "from",
        to_state as "to",
        attempt,
        worker_id as "workerId",
        cause,
        actor as "by",
        reason,
        error,
        event,
        payload
      from tasker.export_transitions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    values: [namespace, workflow, version, since, until, after, end, size.rows, size.bytes, withPayload],
  })
  return toPage(read, ({ transitionId }) => transitionId)
}
