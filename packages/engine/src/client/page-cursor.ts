import { describeValue } from "../core/describe-value.ts"
import { TaskerError } from "../core/error.ts"
import { taskIdRule } from "../core/option-rules.ts"

const PREFIX = "tasks:"

/** What asks for the tasks after this one. */
export function encodeCursor(taskId: string): string {
  return Buffer.from(`${PREFIX}${taskId}`).toString("base64url")
}

/**
 * The task that a page starts after.
 *
 * @throws TaskerError `TASKER_CURSOR_INVALID` when no page has returned this cursor
 */
export function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, "base64url").toString()
  const taskId = text.slice(PREFIX.length)
  if (text.startsWith(PREFIX) && taskIdRule.accepts(taskId) && encodeCursor(taskId) === cursor) return taskId
  throw new TaskerError(
    "TASKER_CURSOR_INVALID",
    `expected cursor to come from a page of tasks, got ${describeValue(cursor)}`,
    {
      hint: "pass `nextCursor` of the page before, unchanged, or none for the first page",
    },
  )
}
