// What tests of workflows need: a Tasker in memory, tasks run to their end, and gates in place of sleeps.

import type { TaskHandle, TaskReference } from "./client/task-reference.ts"
import type { TaskOptions } from "./client/task-request.ts"
import { isTaskerError, TaskerError } from "./core/error.ts"
import { silentLogger } from "./core/logger.ts"
import type { StepState, TaskState } from "./core/state.ts"
import type { Workflow } from "./core/workflow.ts"
import type { Step, StoredError } from "./store/task.ts"
import { createTasker, type Tasker, type TaskerOptions } from "./tasker.ts"
import type { WorkerOptions } from "./worker/worker-options.ts"

export interface TestTaskerOptions extends TaskerOptions {
  /** Options of the worker; `false` starts none. Default: one that looks for steps every 50 ms, should a hint be missed. */
  readonly worker?: WorkerOptions | false
}

/**
 * Creates a Tasker for one test: in memory, without a word to the log, with a worker. Everything ends with `close()`.
 *
 * @example
 * ```ts
 * const tasker = await createTestTasker({ workflows: [processOrder] })
 * const { state, results } = await runTask(tasker, processOrder, { cartId: "c_1" })
 * await tasker.close()
 * ```
 */
export async function createTestTasker({ worker = {}, ...options }: TestTaskerOptions): Promise<Tasker> {
  const tasker = await createTasker({ url: "pglite:memory", logger: silentLogger, ...options })
  if (worker !== false) await tasker.startWorker({ pollMs: 50, ...worker })
  return tasker
}

/** What became of a task. */
export interface TaskRun<Results> {
  readonly taskId: string
  readonly state: TaskState
  /** What each step returned; `undefined` for those that did not end well. */
  readonly results: { readonly [K in keyof Results]: Results[K] | undefined }
  /** How often each step was started, by its name. */
  readonly attempts: { readonly [K in keyof Results]: number }
  /** Why the first of its steps that failed for good did; `undefined` when none has. */
  readonly error: StoredError | undefined
}

/** How long {@link runTask} and {@link untilStep} wait before they give up, in milliseconds. */
const PATIENCE_MS = 10_000

/**
 * Creates a task, waits for its end, and says what became of it, whether it went well or not.
 *
 * @throws TaskerError `TASKER_WAIT_TIMEOUT` when it takes longer than `timeoutMs`. Default: 10,000.
 */
export async function runTask<Input, Results, CreateInput>(
  tasker: Tasker,
  workflow: Workflow<Input, Results, CreateInput>,
  input: NoInfer<CreateInput>,
  options: TaskOptions<NoInfer<keyof Results & string>> & { readonly timeoutMs?: number } = {},
): Promise<TaskRun<Results>> {
  const { timeoutMs = PATIENCE_MS, ...taskOptions } = options
  return await untilEnd(tasker, await tasker.createTask(workflow, input, taskOptions), timeoutMs)
}

/** Waits for the end of a task, and says what became of it, whether it went well or not. As {@link runTask}. */
export async function untilEnd<Results>(
  tasker: Tasker,
  task: TaskHandle<Results>,
  timeoutMs: number = PATIENCE_MS,
): Promise<TaskRun<Results>> {
  try {
    await tasker.waitForTask(task, { timeoutMs })
  } catch (error) {
    if (!isTaskerError(error, "TASKER_TASK_FAILED") && !isTaskerError(error, "TASKER_TASK_CANCELLED")) throw error
  }
  const [{ state }, steps] = [await tasker.getTask(task), await tasker.getSteps(task)]
  const of = (value: (step: Step) => unknown): unknown =>
    Object.assign(Object.create(null), Object.fromEntries(steps.map((step) => [step.name, value(step)])))
  return {
    taskId: task.taskId,
    state,
    // The steps of a task are those of its workflow, which `Results` names.
    results: of((step) => (isDone(step.state) ? step.result : undefined)) as TaskRun<Results>["results"],
    // As above.
    attempts: of((step) => step.attempts) as TaskRun<Results>["attempts"],
    error: steps.find((step) => step.state === "error")?.error ?? undefined,
  }
}

function isDone(state: StepState): boolean {
  return state === "complete" || state === "resolved_manually"
}

/**
 * Waits until a step is in a state that nobody announces, such as `waiting_for_retry`. For the end of a task there is
 * `waitForTask`; for what a handler does, a gate.
 *
 * @throws TaskerError `TASKER_WAIT_TIMEOUT` after 10 seconds
 */
export async function untilStep(
  tasker: Tasker,
  task: TaskReference,
  name: string,
  isReached: StepState | ((step: Step) => boolean),
): Promise<Step> {
  const isIt = typeof isReached === "function" ? isReached : (step: Step) => step.state === isReached
  const giveUpAt = performance.now() + PATIENCE_MS
  while (true) {
    const step = (await tasker.getSteps(task)).find((candidate) => candidate.name === name)
    if (step === undefined) throw new TaskerError("TASKER_STEP_NOT_FOUND", `the task has no step "${name}"`)
    if (isIt(step)) return step
    if (performance.now() > giveUpAt) {
      throw new TaskerError("TASKER_WAIT_TIMEOUT", `step "${name}" is ${step.state} after ${PATIENCE_MS} ms`)
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A place where handlers wait for the test, and the test for handlers. */
export interface Gate {
  /** For handlers: waits until the gate is open, or the signal aborts, and then throws its reason. */
  pass(signal?: AbortSignal): Promise<void>
  /** For tests: waits until so many handlers have come to the gate, those that have passed included. Default: 1. */
  reached(count?: number): Promise<void>
  /** Lets everybody pass, from now on. */
  open(): void
}

/**
 * Makes a gate, closed at first: it holds a handler where the test wants it, without sleeping.
 *
 * @example
 * ```ts
 * const gate = createGate()
 * const slow = defineWorkflow({ name: "slow", version: "1.0.0" })
 *   .step("wait", { handler: ({ signal }) => gate.pass(signal) })
 * const task = await tasker.createTask(slow, null)
 * await gate.reached()
 * await tasker.cancelTask(task)
 * ```
 */
export function createGate(): Gate {
  let count = 0
  let watchers: { readonly count: number; readonly resolve: () => void }[] = []
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    open: () => open(),
    async pass(signal) {
      count += 1
      for (const watcher of watchers) if (watcher.count <= count) watcher.resolve()
      watchers = watchers.filter((watcher) => watcher.count > count)
      signal?.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        // What it was aborted with, as fetch does.
        const onAbort = () => reject(signal?.reason as Error)
        signal?.addEventListener("abort", onAbort, { once: true })
        void opened.then(() => {
          signal?.removeEventListener("abort", onAbort)
          resolve()
        })
      })
    },
    async reached(wanted = 1) {
      if (count >= wanted) return
      await new Promise<void>((resolve) => watchers.push({ count: wanted, resolve }))
    },
  }
}
