import { TaskerError } from "../core/error.ts"
import { stepResults } from "../core/step-results.ts"
import type { StepFailure, TaskOutcome } from "../store/read-outcomes.ts"
import type { StoredError } from "../store/task.ts"
import { delayRule, signalRule } from "../core/option-rules.ts"
import { assertOptions } from "./assert-argument.ts"
import type { OutcomePoller } from "./outcome-poller.ts"
import { taskIdOf, type TaskHandle } from "./task-reference.ts"

export interface WaitOptions {
  /** How long to wait at most, in milliseconds, from 0 to 2_147_483_647. Default: without end. */
  readonly timeoutMs?: number | undefined
  /** Ends the wait; the task goes on. */
  readonly signal?: AbortSignal | undefined
}

/** What a task came to. */
export interface TaskResult<Results> {
  /** `resolved_manually`: it failed, and somebody settled it by other means. */
  readonly state: "complete" | "resolved_manually"
  /**
   * What each step returned, by its name. `undefined` for one that was skipped; and, when the task was resolved by hand, for
   * each that was not done.
   */
  readonly results: { readonly [K in keyof Results]: Results[K] }
}

const RULES = { timeoutMs: delayRule, signal: signalRule }

/** Waits until a task has ended. */
export async function waitForTask<Results>(
  poller: OutcomePoller,
  task: TaskHandle<Results> | string,
  options: WaitOptions = {},
): Promise<TaskResult<Results>> {
  const taskId = taskIdOf(task)
  assertOptions("waitForTask", options, RULES)
  const outcome = await outcomeOf(poller, taskId, options)
  if (outcome === undefined) throw missing(taskId)
  if (outcome.state === "error") throw failure(taskId, outcome.failures ?? [])
  if (outcome.state === "cancelled") {
    throw new TaskerError("TASKER_TASK_CANCELLED", `task ${taskId} was cancelled`, { details: { taskId } })
  }
  const { results } = outcome
  return {
    state: outcome.state === "complete" ? "complete" : "resolved_manually",
    // The handle says which workflow the task is of, and the workflow what its steps return.
    results: stepResults(outcome.stepNames ?? [], (name) => results?.[name]) as TaskResult<Results>["results"],
  }
}

function outcomeOf(
  poller: OutcomePoller,
  taskId: string,
  { timeoutMs, signal }: WaitOptions,
): Promise<TaskOutcome | undefined> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = poller.watch(taskId, {
      onEnd: (outcome) => {
        stopWaiting()
        resolve(outcome)
      },
      onError: (error) => {
        stopWaiting()
        reject(error)
      },
    })
    const timer = timeoutMs === undefined ? undefined : setTimeout(() => onTimeout(timeoutMs), timeoutMs)
    signal?.addEventListener("abort", onAbort)

    function stopWaiting(): void {
      stop()
      clearTimeout(timer)
      signal?.removeEventListener("abort", onAbort)
    }

    function onAbort(): void {
      stopWaiting()
      // What the caller aborted with, as fetch does.
      reject(signal?.reason as Error)
    }

    function onTimeout(waitedMs: number): void {
      stopWaiting()
      reject(
        new TaskerError("TASKER_WAIT_TIMEOUT", `task ${taskId} did not end within ${waitedMs} ms`, {
          hint: "wait again, or longer; the task goes on",
          details: { taskId, timeoutMs: waitedMs },
        }),
      )
    }
  })
}

function missing(taskId: string): TaskerError {
  return new TaskerError("TASKER_TASK_NOT_FOUND", `task ${taskId} does not exist`, {
    hint: "check the id; a task that was pruned is gone",
    details: { taskId },
  })
}

function failure(taskId: string, failures: readonly StepFailure[]): TaskerError {
  const [first, ...others] = failures
  const more = others.length === 0 ? "" : `, and ${others.length} more`
  const message =
    first === undefined
      ? `task ${taskId} failed`
      : `step "${first.step}" of task ${taskId} failed after ${attemptsText(first.attempts)}: ${first.error?.message ?? "no reason was stored"}${more}`
  return new TaskerError("TASKER_TASK_FAILED", message, {
    hint: "retry, skip or resolve the step",
    cause: first?.error === undefined || first.error === null ? undefined : thrownError(first.error),
    details: {
      taskId,
      step: first?.step,
      attempts: first?.attempts,
      error: first?.error,
      failedSteps: failures.map(({ step }) => step),
    },
  })
}

function attemptsText(count: number): string {
  return count === 1 ? "1 attempt" : `${count} attempts`
}

/** What the handler threw, as far as it was stored. */
function thrownError({ name, code, message, stack }: StoredError): Error {
  const error = new Error(message)
  if (name !== undefined) error.name = name
  if (typeof stack === "string") error.stack = stack
  return code === null ? error : Object.assign(error, { code })
}
