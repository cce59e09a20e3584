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
    // What the function inserts is not in the snapshot of the statement that calls it.
    text: `
      select stored.workflow_id, stored.route_id, stored.queue,
        exists (
          select from tasker.workflows as known where known.workflow_id = stored.workflow_id
        ) as is_known,
        exists (
          select from tasker.workflows as known
          where known.namespace = $4 and known.name = $5 and known.version = $6 and known.superseded_at is null
        ) as is_version_known
      from tasker.register_workflow($1::jsonb, $2, $3) as stored`,
    values: [
      definitionJson(definition),
      versionSortKey(definition.version),
      options.replace ?? false,
      definition.namespace,
      definition.name,
      definition.version,
    ],
  })
  const routes = rows.flatMap((row) =>
    row.route_id === null || row.queue === null ? [] : [{ routeId: row.route_id, queue: row.queue }],
  )
  const [first] = rows
  if (first === undefined) throw new TaskerError("TASKER_INTERNAL", "storing a workflow gave no row")
  return { workflowId: first.workflow_id, routes, change: changeOf(first) }
}

/** One row for each route, and one without for a workflow without steps. */
interface StoredRow {
  readonly workflow_id: number
  readonly route_id: number | null
  readonly queue: string | null
  readonly is_known: boolean
  readonly is_version_known: boolean
}

function changeOf({ is_known, is_version_known }: StoredRow): StoredWorkflow["change"] {
  if (is_known) return "kept"
  return is_version_known ? "replaced" : "registered"
}
