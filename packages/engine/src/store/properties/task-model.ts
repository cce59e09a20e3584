import type { ErrorCode } from "../../core/error.ts"
import type { StepState, TaskState } from "../../core/state.ts"

/** What a step of the model is declared to be. */
export interface ModelStepSpec {
  /** Numbers of the steps that it depends on, all smaller than its own. */
  readonly parents: readonly number[]
  readonly skippable: boolean
  readonly maxAttempts: number
  readonly priority: number | null
}

interface ModelStep {
  state: StepState
  attempts: number
  limit: number
  /** When it may be claimed; matters only while it is ready or delayed. */
  dueMs: number
}

export type StepOperation = "skip_step" | "resolve_step" | "retry_steps"
export type TaskOperation = "cancel_task" | "pause_task" | "resume_task" | "resolve_task" | "retry_task"

/** What an operation comes to: whether it changed anything, or why it is refused. */
export type Verdict = boolean | ErrorCode

/**
 * A task as `engine.md` says that it behaves, in a hundred lines and in memory. It
 * counts instead of keeping counters, and looks at parents instead of counting
 * down, so it shares no idea with the SQL that it is compared with.
 */
export class TaskModel {
  state: TaskState = "pending"
  isPaused = false
  readonly steps: readonly ModelStep[]
  readonly #specs: readonly ModelStepSpec[]
  readonly #priority: number

  constructor(specs: readonly ModelStepSpec[], priority: number, bypass: readonly number[], runAtMs: number) {
    this.#specs = specs
    this.#priority = priority
    this.steps = specs.map(({ maxAttempts }) => ({ state: "pending", attempts: 0, limit: maxAttempts, dueMs: runAtMs }))
    for (const stepNo of bypass) this.#step(stepNo).state = "skipped"
    this.#settle()
  }

  priorityOf(stepNo: number): number {
    return this.#spec(stepNo).priority ?? this.#priority
  }

  /** Whether a worker may be given the step. */
  isReady(stepNo: number, nowMs: number): boolean {
    return this.#isQueued(stepNo) && !this.isPaused && this.#step(stepNo).dueMs <= nowMs
  }

  /** When the earliest delayed step is due; `undefined` when none is. */
  nextDueMs(nowMs: number): number | undefined {
    const due = this.steps.flatMap((step, stepNo) => (this.#isQueued(stepNo) && step.dueMs > nowMs ? [step.dueMs] : []))
    return due.length === 0 ? undefined : Math.min(...due)
  }

  claim(stepNo: number, nowMs: number): void {
    if (!this.isReady(stepNo, nowMs)) throw new Error(`step ${stepNo} was given, but is ${this.#step(stepNo).state}`)
    const step = this.#step(stepNo)
    step.state = "in_progress"
    step.attempts += 1
    if (this.state === "pending") this.state = "in_progress"
  }

  /** An attempt ended. `handed_back` gives it another one for free. */
  finish(stepNo: number, how: "complete" | "retry" | "error" | "handed_back", nowMs: number, delayMs = 0): void {
    const step = this.#step(stepNo)
    if (how === "handed_back") step.limit += 1
    if (how === "complete") step.state = "complete"
    else if (how !== "error" && step.attempts < step.limit) {
      step.state = "waiting_for_retry"
      step.dueMs = nowMs + delayMs
    } else step.state = this.#spec(stepNo).skippable ? "skipped" : "error"
    this.#settle(nowMs, stepNo)
  }

  operateStep(operation: StepOperation, stepNo: number, nowMs: number): Verdict {
    const step = this.#step(stepNo)
    const settled: StepState = operation === "skip_step" ? "skipped" : "resolved_manually"
    if (operation === "retry_steps") {
      if (!["pending", "in_progress", "error"].includes(this.state)) return "TASKER_TRANSITION_INVALID"
      if (!["error", "waiting_for_retry", "pending", "in_progress"].includes(step.state))
        return "TASKER_TRANSITION_INVALID"
      if (step.state === "error") return this.#retry([stepNo], nowMs)
      const isSooner = step.state === "waiting_for_retry" && step.dueMs > nowMs
      if (isSooner) step.dueMs = nowMs
      return isSooner
    }
    if (step.state === settled) return false
    if (operation === "skip_step" && !this.#spec(stepNo).skippable) return "TASKER_STEP_NOT_SKIPPABLE"
    if (!["pending", "waiting_for_retry", "error"].includes(step.state)) return "TASKER_TRANSITION_INVALID"
    if (this.state === "resolved_manually") return "TASKER_TRANSITION_INVALID"
    step.state = settled
    this.#settle(nowMs, stepNo)
    return true
  }

  operateTask(operation: TaskOperation, nowMs: number): Verdict {
    const isOpen = ["pending", "in_progress", "error"].includes(this.state)
    switch (operation) {
      case "cancel_task":
        return this.#cancel()
      case "pause_task":
        if (!isOpen) return "TASKER_TRANSITION_INVALID"
        return this.#setPaused(true)
      case "resume_task":
        return this.#setPaused(false)
      case "resolve_task":
        if (this.state === "resolved_manually") return false
        if (this.state !== "error") return "TASKER_TRANSITION_INVALID"
        this.state = "resolved_manually"
        return true
      case "retry_task":
        if (!isOpen) return "TASKER_TRANSITION_INVALID"
        return this.#retry(
          this.steps.flatMap((step, stepNo) => (step.state === "error" ? [stepNo] : [])),
          nowMs,
        )
    }
  }

  #cancel(): Verdict {
    if (this.state === "cancelled") return false
    if (this.state !== "pending" && this.state !== "in_progress") return "TASKER_TRANSITION_INVALID"
    for (const step of this.steps) if (!isDone(step.state)) step.state = "cancelled"
    this.state = "cancelled"
    return true
  }

  #setPaused(isPaused: boolean): boolean {
    const isChanged = this.isPaused !== isPaused
    this.isPaused = isPaused
    return isChanged
  }

  #retry(stepNos: readonly number[], nowMs: number): boolean {
    if (stepNos.length === 0) return false
    for (const stepNo of stepNos) {
      const step = this.#step(stepNo)
      step.state = "pending"
      step.limit = step.attempts + this.#spec(stepNo).maxAttempts
      step.dueMs = nowMs
    }
    if (this.state === "error") this.state = "in_progress"
    return true
  }

  /** Ready or delayed: every parent is done, and nobody runs it. */
  #isQueued(stepNo: number): boolean {
    const { state } = this.#step(stepNo)
    if (this.state !== "pending" && this.state !== "in_progress") return false
    if (state === "waiting_for_retry") return true
    return state === "pending" && this.#spec(stepNo).parents.every((parent) => isDone(this.#step(parent).state))
  }

  /** Draws the consequences of a step that changed: children may run, and the task may have ended. */
  #settle(nowMs?: number, changed?: number): void {
    if (nowMs !== undefined && changed !== undefined && isDone(this.#step(changed).state)) {
      for (const [stepNo, { parents }] of this.#specs.entries()) {
        if (parents.includes(changed)) this.#step(stepNo).dueMs = nowMs
      }
    }
    const before = this.state
    if (before === "error") this.state = "in_progress"
    const canMove = this.steps.some((step, stepNo) => step.state === "in_progress" || this.#isQueued(stepNo))
    if (this.steps.every((step) => isDone(step.state))) this.state = "complete"
    else if (!canMove) this.state = "error"
  }

  #step(stepNo: number): ModelStep {
    const step = this.steps[stepNo]
    if (step === undefined) throw new Error(`the model has no step ${stepNo}`)
    return step
  }

  #spec(stepNo: number): ModelStepSpec {
    const spec = this.#specs[stepNo]
    if (spec === undefined) throw new Error(`the model has no step ${stepNo}`)
    return spec
  }
}

function isDone(state: StepState): boolean {
  return state === "complete" || state === "skipped" || state === "resolved_manually"
}
