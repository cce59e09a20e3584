import { setTimeout as sleep } from "node:timers/promises"
import { RetryableError, type StepContext } from "@tasker/engine"

/** What every step of a pattern returns. */
export interface Done {
  readonly step: string
  /** How often its handler has run for this task, from 1. */
  readonly execution: number
}

export type PatternHandler = (context: StepContext<unknown, unknown>) => Promise<Done>

export interface PatternHandlerOptions {
  /**
   * How often a step fails before it succeeds, by its name. `Infinity` is for good.
   * Default: what the pattern says.
   */
  readonly failures?: Readonly<Record<string, number>> | undefined
  /** How long a step takes. Default: 0 ms. */
  readonly workMs?: number | undefined
}

/** Handlers that fail as they are told, and remember in memory how often they did. */
export interface PatternHandlers {
  /** Fails `count` times per task and step, then succeeds. */
  readonly configurableFailure: (count: number) => PatternHandler
  /** As `configurableFailure`, and what fails is the network. */
  readonly networkTimeout: (count: number) => PatternHandler
  /**
   * Does its work, and loses its answer `count` times. Further attempts find the work done, by the idempotency key,
   * and do not do it again.
   */
  readonly idempotent: (count: number) => PatternHandler
  /** How often the handler of this step of this task has run. */
  readonly executionCount: (taskId: string, step: string) => number
  /** How often `idempotent` has done the work of this step of this task: never more than once. */
  readonly effectCount: (taskId: string, step: string) => number
}

export function createPatternHandlers({ failures = {}, workMs = 0 }: PatternHandlerOptions = {}): PatternHandlers {
  const executions = new Map<string, number>()
  const effects = new Map<string, number>()

  /** Counts an execution, takes its time, and says whether it is to fail. */
  const start = async (context: StepContext<unknown, unknown>, count: number) => {
    const key = `${context.taskId}:${context.stepName}`
    const execution = (executions.get(key) ?? 0) + 1
    executions.set(key, execution)
    if (workMs > 0) await sleep(workMs, undefined, { signal: context.signal })
    const done: Done = { step: context.stepName, execution }
    return { key, done, isToFail: execution <= (failures[context.stepName] ?? count) }
  }

  return {
    configurableFailure: (count) => async (context) => {
      const { done, isToFail } = await start(context, count)
      if (isToFail) throw new Error(`${context.stepName} fails, as it was told to`)
      return done
    },
    networkTimeout: (count) => async (context) => {
      const { done, isToFail } = await start(context, count)
      if (isToFail) throw new RetryableError("the connection timed out", { code: "ETIMEDOUT" })
      return done
    },
    idempotent: (count) => async (context) => {
      const { key, done, isToFail } = await start(context, count)
      if (!effects.has(context.idempotencyKey)) effects.set(key, 1)
      if (isToFail) throw new RetryableError("the answer was lost", { code: "ECONNRESET" })
      return done
    },
    executionCount: (taskId, step) => executions.get(`${taskId}:${step}`) ?? 0,
    effectCount: (taskId, step) => effects.get(`${taskId}:${step}`) ?? 0,
  }
}
