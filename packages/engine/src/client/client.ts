import type { TaskAnalysis } from "../core/graph/task-analysis.ts"
import type { Workflow } from "../core/workflow.ts"
import type { DurationPercentiles } from "../store/analytics/duration-percentiles.ts"
import type { SlowStep } from "../store/analytics/slowest-steps.ts"
import type { SlowTask } from "../store/analytics/slowest-tasks.ts"
import type { Queue } from "../store/list-queues.ts"
import type { WorkerDetails } from "../store/list-workers.ts"
import type { QueueMeasure } from "../store/measure-queues.ts"
import type { OperatorNote } from "../store/operator.ts"
import type { Step, Task, Transition } from "../store/task.ts"
import type { ExecutionContext } from "../store/task-execution-contexts.ts"
import type { Violation } from "../store/verify.ts"
import type { Change } from "./act.ts"
import type { AnalyzeTaskOptions } from "./analytics/analyze-task.ts"
import type { BottleneckFilter, Bottlenecks } from "./analytics/bottlenecks.ts"
import type { PerformanceFilter, PeriodPerformance } from "./analytics/performance.ts"
import type { CountFilter, StepCounts, TaskCounts, WorkflowStepCounts, WorkflowTaskCounts } from "./count-states.ts"
import type { CreateTaskOptions } from "./create-task.ts"
import type { CreateTasksOptions, TaskRequest } from "./create-tasks.ts"
import type { Health } from "./health/health.ts"
import type { ListWorkersFilter, QueueMeasureOptions } from "./list-fleet.ts"
import type { ListTasksFilter, TasksPage } from "./list-tasks.ts"
import type { SlowestFilter } from "./measure-durations.ts"
import type { StepResolutionOptions } from "./operate-steps.ts"
import type { MeasuredPeriodFilter } from "./period.ts"
import type { TaskHandle, TaskReference } from "./task-reference.ts"
import type { RatesFilter, TaskRates } from "./task-rates.ts"
import type { TaskResult, WaitOptions } from "./wait-for-task.ts"

/**
 * What applications call: create tasks, look at them, wait for them, act on them.
 *
 * Every argument is checked before the database is touched: `TASKER_OPTION_INVALID` says which one and why. Whatever is asked
 * about a task that does not exist is refused with `TASKER_TASK_NOT_FOUND`.
 */
export interface Client {
  /**
   * Creates a task: one run of a workflow, together with its steps. No worker sees half a task.
   *
   * @param input - checked against the workflow's schema, whose defaults are stored
   * @returns the task; with `created: false` when one stood under the same identity already
   * @throws TaskerError `TASKER_INPUT_INVALID` when the input does not match the schema, is not JSON, or is too large;
   *   `TASKER_WORKFLOW_NOT_FOUND` when the workflow was not registered;
   *   `TASKER_STEP_NOT_FOUND`, `TASKER_STEP_NOT_SKIPPABLE` when a step cannot be bypassed
   *
   * @example
   * ```ts
   * const order = await tasker.createTask(processOrder, { cartId: "c_1" }, {
   *   identity: { strategy: "key", key: "order-c_1" },
   * })
   * ```
   */
  createTask<Input, Results, CreateInput>(
    workflow: Workflow<Input, Results, CreateInput>,
    input: NoInfer<CreateInput>,
    options?: CreateTaskOptions<NoInfer<keyof Results & string>>,
  ): Promise<TaskHandle<Results>>
  /**
   * Creates many tasks of one workflow, at most 10,000, in one statement: all or none.
   *
   * @returns the tasks, in the order of the requests
   * @throws as {@link createTask}; `details.index` says which request
   */
  createTasks<Input, Results, CreateInput>(
    workflow: Workflow<Input, Results, CreateInput>,
    requests: readonly TaskRequest<NoInfer<CreateInput>, NoInfer<keyof Results & string>>[],
    options?: CreateTasksOptions,
  ): Promise<readonly TaskHandle<Results>[]>
  /**
   * Waits until a task has ended.
   *
   * @returns what each step returned, by its name; with the types of the workflow when given what `createTask` returned
   * @throws TaskerError `TASKER_TASK_FAILED` with the failed step's error as its cause, `TASKER_TASK_CANCELLED`,
   *   `TASKER_WAIT_TIMEOUT`, `TASKER_CLOSED`; or the reason of the signal
   */
  waitForTask<Results = Readonly<Record<string, unknown>>>(
    task: TaskHandle<Results> | string,
    options?: WaitOptions,
  ): Promise<TaskResult<Results>>

  getTask(task: TaskReference): Promise<Task>
  /** Lists tasks, the newest first, a page at a time. Throws `TASKER_CURSOR_INVALID` for a cursor that no page returned. */
  listTasks(filter?: ListTasksFilter): Promise<TasksPage>
  /** The steps of a task, each after all that it depends on, with what keeps them waiting. */
  getSteps(task: TaskReference): Promise<readonly Step[]>
  /** All that happened to a task and its steps, in order. */
  getHistory(task: TaskReference): Promise<readonly Transition[]>
  /** How far a task is, and what to do about it. */
  getExecutionContext(task: TaskReference): Promise<ExecutionContext>
  /** The same of at most 1,000 tasks, in their order; those that do not exist are left out. */
  getExecutionContexts(tasks: readonly TaskReference[]): Promise<readonly ExecutionContext[]>

  /**
   * Ends a task and every step of it that has not ended. Running steps get their signal, and what they still return is refused.
   * Throws `TASKER_TRANSITION_INVALID` when it has ended; one in error is resolved instead.
   */
  cancelTask(task: TaskReference, note?: OperatorNote): Promise<Change>
  /** Stops handing out a task's steps; what runs goes on to its end. Throws `TASKER_TRANSITION_INVALID` when it has ended. */
  pauseTask(task: TaskReference, note?: OperatorNote): Promise<Change>
  resumeTask(task: TaskReference, note?: OperatorNote): Promise<Change>
  /** Gives every failed step of a task another set of attempts. Throws `TASKER_TRANSITION_INVALID` when it is done or cancelled. */
  retryTask(task: TaskReference, note?: OperatorNote): Promise<Change>
  /** Closes a failed task that somebody settled by other means. Throws `TASKER_TRANSITION_INVALID` when it is not in error. */
  resolveTask(task: TaskReference, note?: OperatorNote): Promise<Change>
  /**
   * Gives a failed step another set of attempts; one that waits for its retry need not wait any longer.
   * Throws `TASKER_STEP_NOT_FOUND`, `TASKER_TRANSITION_INVALID` when it is done or cancelled.
   */
  retryStep(task: TaskReference, step: string, note?: OperatorNote): Promise<Change>
  /**
   * Lets a task go on without a step. Throws `TASKER_STEP_NOT_FOUND`, `TASKER_STEP_NOT_SKIPPABLE`,
   * `TASKER_TRANSITION_INVALID` when it runs or has ended.
   */
  skipStep(task: TaskReference, step: string, note?: OperatorNote): Promise<Change>
  /**
   * Gives a step that is not running the result that somebody found by hand. Throws `TASKER_STEP_NOT_FOUND`,
   * `TASKER_RESULT_INVALID`, `TASKER_TRANSITION_INVALID` when it runs or has ended.
   */
  resolveStep(task: TaskReference, step: string, options?: StepResolutionOptions): Promise<Change>

  /** Stops handing out the steps of a queue; what runs goes on to its end. */
  pauseQueue(queue: string, note?: OperatorNote): Promise<Change>
  resumeQueue(queue: string, note?: OperatorNote): Promise<Change>
  /** Bounds how many steps of a queue run at once, on all workers together; `null` for no limit. */
  limitQueue(queue: string, maxRunning: number | null): Promise<Change>
  /** All queues, by name, with what is in them now. */
  listQueues(): Promise<readonly Queue[]>
  /**
   * How long each queue is, and how long its oldest step waits: for those who ask every few seconds, as what it costs does
   * not grow with the queue. What runs and what is held is not counted.
   */
  measureQueues(options?: QueueMeasureOptions): Promise<readonly QueueMeasure[]>
  /** Workers, the newest first; those whose lease holds, unless `live: false`. */
  listWorkers(filter?: ListWorkersFilter): Promise<readonly WorkerDetails[]>

  /** How many tasks there are in each state. */
  countTasks(filter?: CountFilter): Promise<TaskCounts>
  countTasksByWorkflow(filter?: CountFilter): Promise<readonly WorkflowTaskCounts[]>
  /** How many steps there are in each state. */
  countSteps(filter?: CountFilter): Promise<StepCounts>
  countStepsByName(filter?: CountFilter): Promise<readonly WorkflowStepCounts[]>
  /**
   * Of the tasks that ended in a period, those that took longest. Default: the last 24 hours, 10 tasks.
   *
   * @throws TaskerError `TASKER_DATABASE_UNAVAILABLE` when it takes longer than `timeoutMs`
   */
  slowestTasks(filter?: SlowestFilter): Promise<readonly SlowTask[]>
  /**
   * Of the steps that completed in a period, those that took longest. Default: the last 24 hours, 10 steps.
   *
   * @throws TaskerError `TASKER_DATABASE_UNAVAILABLE` when it takes longer than `timeoutMs`
   */
  slowestSteps(filter?: SlowestFilter): Promise<readonly SlowStep[]>
  /**
   * How long tasks and steps took, by workflow and step. Default: the last 24 hours.
   *
   * @throws TaskerError `TASKER_DATABASE_UNAVAILABLE` when it takes longer than `timeoutMs`
   */
  durationPercentiles(filter?: MeasuredPeriodFilter): Promise<readonly DurationPercentiles[]>
  /**
   * How many tasks were created and ended in each part of a period. Default: the last 24 hours as one part.
   *
   * @throws TaskerError `TASKER_DATABASE_UNAVAILABLE` when it takes longer than `timeoutMs`
   */
  taskRates(filter?: RatesFilter): Promise<readonly TaskRates[]>
  /**
   * How much was done in some periods, how well, and how long it took: a row for each period, or for each workflow version of
   * which something happened in it. Default: the last hour, the last 4 and the last 24 hours.
   *
   * @throws TaskerError `TASKER_DATABASE_UNAVAILABLE` when it takes longer than `timeoutMs`
   */
  performance(filter?: PerformanceFilter): Promise<readonly PeriodPerformance[]>
  /**
   * What took most of the time in a period, and what went wrong most. Default: the last 24 hours, 10 of each list.
   *
   * @throws TaskerError `TASKER_DATABASE_UNAVAILABLE` when it takes longer than `timeoutMs`
   */
  bottlenecks(filter?: BottleneckFilter): Promise<Bottlenecks>
  /** Where the time of a task went, what holds it back, and what somebody may do about what failed. */
  analyzeTask(task: TaskReference, options?: AnalyzeTaskOptions): Promise<TaskAnalysis>

  /** How this process is, and the system that it is part of. */
  readonly health: Health
  /** Looks for whatever breaks an invariant of the engine. Reads everything; empty when all is well. */
  verify(): Promise<readonly Violation[]>
}
