import type { Queryable } from "../../core/database.ts"
import type { WorkflowId } from "../../core/workflow.ts"
import { run } from "../run.ts"

/** What the workflows with these ids are called, in the order of namespace, name and version. */
export async function workflowNames(
  db: Queryable,
  workflowIds: readonly number[],
): Promise<readonly { readonly workflowId: number; readonly workflow: WorkflowId }[]> {
  return await run(db, {
    text: `
      select
        workflow_id as "workflowId",
        json_build_object('namespace', namespace, 'name', name, 'version', version) as workflow
      from tasker.workflows
      where workflow_id = any ($1::integer[])
      order by namespace, name, version_key, workflow_id`,
    values: [workflowIds],
  })
}
