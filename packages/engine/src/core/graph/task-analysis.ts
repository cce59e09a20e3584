import { isSatisfied, STEP_STATES, type StepState, type TaskState } from "../state.ts"
import type { WorkflowId } from "../workflow.ts"
import { type CriticalPath, findCriticalPath } from "./critical-path.ts"
import { type ErrorChains, findErrorChains } from "./error-chains.ts"
import { measureParallelism, type Parallelism } from "./parallelism.ts"
import { type AnalyzedStep, isOpen, type StandingTask } from "./standing-task.ts"
import { countDownstream, createStepGraph, type DownstreamCounts, type StepGraph } from "./step-graph.ts"
import { type Bottleneck, findBottlenecks } from "./task-bottlenecks.ts"
import { buildTimelines, type StepTimeline, type StepTimes } from "./timeline.ts"
import type { GraphEdge } from "./workflow-graph.ts"

/** A step of a task, with its place in the graph and its times, in milliseconds since the task was created. */
export interface TaskGraphNode extends StepTimes {
  readonly step: string
  readonly level: number
  readonly state: StepState
  readonly attempts: number
  readonly maxAttempts: number
  /** When all that it depends on was done; `null` when that is not yet so. */
  readonly readyMs: number | null
  /** When its first attempt started. */
  readonly startMs: number | null
  /** When it ended or failed; `null` while it can go on by itself. */
  readonly endMs: number | null
  readonly isOnCriticalPath: boolean
  /** How many steps depend on it, directly or not. */
  readonly downstreamCount: number
  /** How many of these are not done. */
  readonly openDownstreamCount: number
}

/** The steps of one level, and how they are. */
export interface TaskLevel {
  readonly level: number
  readonly stepCount: number
  readonly doneCount: number
  readonly runningCount: number
  readonly failedCount: number
}

/** What the graph of a task says, as of one moment. Everything in it was measured. */
export interface TaskAnalysis {
  readonly taskId: string
  readonly workflow: WorkflowId
  readonly state: TaskState
  readonly createdAt: Date
  /** The moment; all times that are milliseconds count from `createdAt`. */
  readonly at: Date
  readonly progress: {
    readonly stepCount: number
    /** Complete, skipped or resolved. */
    readonly doneCount: number
    /** The share of steps that are done, from 0 to 100, with two decimals. */
    readonly percentage: number
    readonly states: Readonly<Record<StepState, number>>
  }
  /** Each after all that it depends on. */
  readonly nodes: readonly TaskGraphNode[]
  readonly edges: readonly GraphEdge[]
  readonly criticalPath: CriticalPath
  readonly parallelism: Parallelism & { readonly levels: readonly TaskLevel[] }
  readonly errors: ErrorChains
  /** The steps that hold others back now, those that hold most first; then those that took most of the critical path. */
  readonly bottlenecks: readonly Bottleneck[]
}

/** Works out everything that a task's graph says. */
export function analyzeTask(
  task: StandingTask,
  identity: { readonly taskId: string; readonly workflow: WorkflowId },
  limit: number,
): TaskAnalysis {
  const untilMs = task.finishedMs ?? task.nowMs
  const graph = createStepGraph(task.steps.map(({ parents }) => parents))
  const timelines = buildTimelines(graph, task.changes, untilMs)
  const below = countDownstream(graph, (step) => isOpen(task.steps[step]?.state ?? "complete"))
  const steps = task.steps.map((step, index): AnalyzedStep => {
    // Both lists have an entry for each step.
    return { ...step, index, timeline: timelines[index] as StepTimeline, below: below[index] as DownstreamCounts }
  })
  const criticalPath = findCriticalPath(graph, steps)
  const critical = new Set(criticalPath.steps.map(({ step }) => step))
  const attempts = timelines.flatMap((timeline) => timeline.attempts)
  return {
    ...identity,
    state: task.state,
    createdAt: task.createdAt,
    at: new Date(task.createdAt.getTime() + task.nowMs),
    progress: progressOf(steps),
    nodes: steps.map((step) => nodeOf(step, graph, critical.has(step.name))),
    edges: steps.flatMap(({ name, parents }) =>
      parents.map((parent) => ({ from: task.steps[parent]?.name ?? "", to: name })),
    ),
    criticalPath,
    parallelism: { ...measureParallelism(attempts, untilMs), levels: levelsOf(steps, graph) },
    errors: findErrorChains(task, graph, steps),
    bottlenecks: findBottlenecks(task, steps, criticalPath).slice(0, limit),
  }
}

function progressOf(steps: readonly AnalyzedStep[]): TaskAnalysis["progress"] {
  const states = Object.fromEntries(STEP_STATES.map((state) => [state, 0])) as Record<StepState, number> // Every state is there.
  for (const { state } of steps) states[state] += 1
  const doneCount = steps.filter(({ state }) => isSatisfied(state)).length
  const percentage = steps.length === 0 ? 100 : Math.round((10_000 * doneCount) / steps.length) / 100
  return { stepCount: steps.length, doneCount, percentage, states }
}

function nodeOf(step: AnalyzedStep, graph: StepGraph, isOnCriticalPath: boolean): TaskGraphNode {
  const { attempts, readyMs, endMs, ...times } = step.timeline
  return {
    step: step.name,
    level: graph.levels[step.index] ?? 0,
    state: step.state,
    attempts: step.attempts,
    maxAttempts: step.maxAttempts,
    readyMs,
    startMs: attempts[0]?.startMs ?? null,
    endMs: step.state === "error" || !isOpen(step.state) ? endMs : null,
    ...times,
    isOnCriticalPath,
    downstreamCount: step.below.total,
    openDownstreamCount: step.below.counted,
  }
}

function levelsOf(steps: readonly AnalyzedStep[], graph: StepGraph): readonly TaskLevel[] {
  const levels: { level: number; stepCount: number; doneCount: number; runningCount: number; failedCount: number }[] =
    []
  for (const { index, state } of steps) {
    const level = graph.levels[index] ?? 0
    const counts = (levels[level] ??= { level, stepCount: 0, doneCount: 0, runningCount: 0, failedCount: 0 })
    counts.stepCount += 1
    if (isSatisfied(state)) counts.doneCount += 1
    if (state === "in_progress") counts.runningCount += 1
    if (state === "error") counts.failedCount += 1
  }
  return levels
}
