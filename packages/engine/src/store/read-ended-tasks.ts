import type { Queryable } from "../core/database.ts"
import type { EndedTaskFacts } from "../core/events/change-watch.ts"
import type { TransitionFacts } from "../core/events/transition-event.ts"
import { run } from "./run.ts"

type TaskOrigin = Pick<EndedTaskFacts, "taskId" | "createdAt" | "startedAt" | "traceContext">

/** The tasks that ended by these rows of history, and how they began; those that are gone are left out. */
export async function readEndedTasks(
  db: Queryable,
  transitions: readonly TransitionFacts[],
): Promise<readonly EndedTaskFacts[]> {
  const ends = transitions.flatMap((facts) => {
    const outcome = outcomeOf(facts)
    return outcome === undefined ? [] : [{ facts, outcome }]
  })
  if (ends.length === 0) return []
  const origins = await run<TaskOrigin>(db, {
    text: `
      select task_id as "taskId", created_at as "createdAt", started_at as "startedAt", trace_context as "traceContext"
      from tasker.tasks
      where task_id = any ($1::uuid[])`,
    values: [ends.map(({ facts }) => facts.taskId)],
  })
  const byId = new Map(origins.map((origin) => [origin.taskId, origin]))
  return ends.flatMap(({ facts: { taskId, namespace, workflow, version, correlationId, at, workerId }, outcome }) => {
    const origin = byId.get(taskId)
    if (origin === undefined) return []
    return [{ ...origin, namespace, workflow, version, correlationId, outcome, finishedAt: at, workerId }]
  })
}

/** How a row of history ended its task, if it did. Pausing an ended task, were it possible, would not end it again. */
function outcomeOf({ step, from, to }: TransitionFacts): EndedTaskFacts["outcome"] | undefined {
  if (step !== null || from === to) return undefined
  return to === "complete" || to === "error" || to === "cancelled" || to === "resolved_manually" ? to : undefined
}
