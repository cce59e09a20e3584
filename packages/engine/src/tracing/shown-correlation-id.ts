import type { TaskFacts } from "../core/events/event-payloads.ts"
import type { Redact } from "../core/redact.ts"

/** The correlation id of a task without its secrets, as a span may say it. */
export function shownCorrelationId(
  { taskId, correlationId }: Pick<TaskFacts, "taskId" | "correlationId">,
  redact: Redact,
): string {
  // Most tasks have none of their own, and their id is no secret.
  return correlationId === taskId ? correlationId : redact({ correlationId }).correlationId
}
