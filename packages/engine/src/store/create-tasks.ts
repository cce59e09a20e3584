import type { Queryable } from "../core/database.ts"
import { run } from "./run.ts"

/** A task as it stands after a request for it. */
export interface CreatedTask {
  readonly taskId: string
  /** False when a task stood under the request's identity already: this one. */
  readonly created: boolean
}

/**
 * Creates tasks with all their steps, in one statement.
 *
 * @param requests - a JSON array, as `tasker.create_tasks` takes it
 * @param options.notify - whether to tell other processes when the transaction commits
 * @returns a task per request, in their order
 * @throws {@link TaskerError} `TASKER_WORKFLOW_NOT_FOUND` when a workflow is not registered,
 *   `TASKER_OPTION_INVALID` when a bypassed step is unknown or not skippable
 */
export async function createTasks(
  db: Queryable,
  requests: string,
  options: { readonly notify: boolean },
): Promise<readonly CreatedTask[]> {
  // `db` may be somebody's own client, so the parameters are text, whatever its driver makes of JSON.
  return await run<CreatedTask>(db, {
    name: "tasker.create_tasks",
    text: `
      select task_id as "taskId", created
      from tasker.create_tasks($1::text::jsonb, $2::text::boolean)
      order by ordinal`,
    values: [requests, String(options.notify)],
  })
}
