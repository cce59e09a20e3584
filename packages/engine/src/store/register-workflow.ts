import type { Queryable } from "../core/database.ts"
import { definitionJson } from "../core/definition-json.ts"
import { versionSortKey } from "../core/semver.ts"
import { TaskerError } from "../core/error.ts"
import type { WorkflowDefinition } from "../core/workflow.ts"
import { run } from "./run.ts"

/** A workflow as the database knows it. */
export interface StoredWorkflow {
  readonly workflowId: number
  /** Where its steps wait: one route for each queue that they use. */
  readonly routes: readonly { readonly routeId: number; readonly queue: string }[]
  /** What storing it did: `kept` when the version stood with the same definition. */
  readonly change: "registered" | "replaced" | "kept"
}

/**
 * Stores one version of a workflow; the same version again gives the same row.
 *
 * @param options.replace - whether a different definition may take the version's place. Default: false.
 * @throws {@link TaskerError} `TASKER_WORKFLOW_CHANGED` when the version stands with another definition,
 *   `TASKER_WORKFLOW_IN_USE` when it does, is to be replaced, and has live tasks
 */
export async function registerWorkflow(
  db: Queryable,
  definition: WorkflowDefinition,
  options: { readonly replace?: boolean } = {},
): Promise<StoredWorkflow> {
  const rows = await run<StoredRow>(db, {
    name: "tasker.register_workflow",
    text: "select workflow_id, route_id, queue, change from tasker.register_workflow($1::jsonb, $2, $3)",
    values: [definitionJson(definition), versionSortKey(definition.version), options.replace ?? false],
  })
  const routes = rows.flatMap((row) =>
    row.route_id === null || row.queue === null ? [] : [{ routeId: row.route_id, queue: row.queue }],
  )
  const [first] = rows
  if (first === undefined) throw new TaskerError("TASKER_INTERNAL", "storing a workflow gave no row")
  return { workflowId: first.workflow_id, routes, change: first.change }
}

/** One row for each route, and one without for a workflow without steps. */
interface StoredRow {
  readonly workflow_id: number
  readonly route_id: number | null
  readonly queue: string | null
  readonly change: StoredWorkflow["change"]
}
