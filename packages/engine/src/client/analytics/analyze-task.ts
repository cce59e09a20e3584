import { analyzeTask as analyze, type TaskAnalysis } from "../../core/graph/task-analysis.ts"
import { taskGraph } from "../../store/analytics/task-graph.ts"
import { pageLimitRule } from "../argument-rules.ts"
import { assertOptions } from "../assert-argument.ts"
import type { ClientRooms } from "../client-rooms.ts"
import { refuseMissing } from "../read-tasks.ts"
import { taskIdOf, type TaskReference } from "../task-reference.ts"

export interface AnalyzeTaskOptions {
  /** How many bottlenecks at most, from 1 to 500. Default: 10. */
  readonly limit?: number | undefined
}

/** What the graph of a task says: where its time went, what holds it back, and what somebody may do about it. */
export async function analyzeTask(
  { database }: ClientRooms,
  task: TaskReference,
  options: AnalyzeTaskOptions = {},
): Promise<TaskAnalysis> {
  assertOptions("analyzeTask", options, { limit: pageLimitRule })
  const taskId = taskIdOf(task)
  const standing = (await taskGraph(database, taskId)) ?? refuseMissing(taskId)
  return analyze(standing, { taskId, workflow: standing.workflow }, options.limit ?? 10)
}
