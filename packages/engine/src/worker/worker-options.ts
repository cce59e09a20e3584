import { checkOptions } from "../core/check-options.ts"
import { isName } from "../core/names.ts"
import { delayRule, integerRule } from "../core/option-rules.ts"

/** How a worker works. Every option has a default. */
export interface WorkerOptions {
  /** Shown to people. Default: `worker`. */
  readonly name?: string | undefined
  /** How many steps it runs at once, 1 to 10,000. More than the handlers can use only holds steps back from other workers. Default: 50. */
  readonly concurrency?: number | undefined
  /** The queues that it takes steps from. Default: every queue of the workflows. */
  readonly queues?: readonly string[] | undefined
  /**
   * How long it may be silent before others take its steps back, in milliseconds; 1,000 or more. It says that
   * it lives three times as often. A handler that blocks the event loop for longer loses the worker its steps.
   *
   * Default: 15,000.
   */
  readonly leaseMs?: number | undefined
  /**
   * How long until it looks for ready steps by itself, in milliseconds; 10 or more. Notifications make this
   * matter only when one was missed.
   *
   * Default: 1,000.
   */
  readonly pollMs?: number | undefined
  /** How many connections it claims and records by, each with its share of `concurrency`; 1 to 8. Default: 2. */
  readonly lanes?: number | undefined
}

export const DEFAULT_WORKER_OPTIONS = {
  name: "worker",
  concurrency: 50,
  leaseMs: 15_000,
  pollMs: 1_000,
  lanes: 2,
} as const

/** @throws TaskerError `TASKER_CONFIG_INVALID`, with every problem */
export function checkWorkerOptions(options: WorkerOptions): void {
  checkOptions("startWorker", options, RULES, "TASKER_CONFIG_INVALID")
}

/** How long to wait for running steps, when a worker or a Tasker stops. */
export interface StopOptions {
  /** In milliseconds; then their signals abort. Default: 30,000. */
  readonly timeoutMs?: number | undefined
}

/** @throws TaskerError `TASKER_OPTION_INVALID` */
export function checkStopOptions(what: string, options: StopOptions): void {
  checkOptions(what, options, { timeoutMs: delayRule }, "TASKER_OPTION_INVALID")
}

const RULES = {
  name: {
    rule: "text of 1 to 200 characters",
    accepts: (value: unknown) => typeof value === "string" && /^.{1,200}$/u.test(value),
  },
  concurrency: integerRule(1, 10_000),
  queues: {
    rule: "a list of one or more names of queues",
    accepts: (value: unknown) => Array.isArray(value) && value.length > 0 && value.every(isName),
  },
  leaseMs: integerRule(1_000, 86_400_000),
  pollMs: integerRule(10, 3_600_000),
  lanes: integerRule(1, 8),
}
