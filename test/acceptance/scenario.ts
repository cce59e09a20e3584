import { createTestTasker } from "@tasker/engine/testing"
import type {
  Step,
  StepContext,
  StepState,
  Tasker,
  Transition,
  WorkerOptions,
  WorkflowDefinition,
} from "@tasker/engine"
import { createPatternHandlers, type PatternHandlers } from "@tasker-examples/patterns/step-handlers"
import { patternWorkflows } from "@tasker-examples/patterns/workflows"
import { expect } from "vitest"

export type AnyContext = StepContext<unknown, unknown>

/** What a test changes about the handlers of the patterns. */
export interface Script {
  /** How often a step fails before it succeeds, by its name; the pattern's own number where there is none. */
  failures: Record<string, number>
  /** Runs before each handler. */
  before: (context: AnyContext) => Promise<void> | void
}

/** The patterns on one database, with a worker, and a script that each test starts anew. */
export interface Scenario {
  readonly tasker: Tasker
  readonly patterns: ReturnType<typeof patternWorkflows>
  readonly handlers: PatternHandlers
  readonly script: Script
  reset(): void
}

export async function openScenario(url: string, worker: WorkerOptions | false = {}): Promise<Scenario> {
  const failures: Record<string, number> = {}
  const script: Script = { failures, before: () => {} }
  const handlers = createPatternHandlers({ failures })
  const scripted =
    (make: (count: number) => (context: AnyContext) => Promise<{ step: string; execution: number }>) =>
    (count: number) => {
      const handler = make(count)
      return async (context: AnyContext) => {
        await script.before(context)
        return await handler(context)
      }
    }
  const patterns = patternWorkflows({
    handlers: {
      ...handlers,
      configurableFailure: scripted(handlers.configurableFailure),
      networkTimeout: scripted(handlers.networkTimeout),
      idempotent: scripted(handlers.idempotent),
    },
    backoffMs: 20,
  })
  const tasker = await createTestTasker({ url, workflows: Object.values(patterns), worker })
  return {
    tasker,
    patterns,
    handlers,
    script,
    reset() {
      for (const name of Object.keys(failures)) delete failures[name]
      script.before = () => {}
    },
  }
}

/** Holds handlers of these steps until all of them run: a task that gets past it ran them at the same time. */
export function meetingOf(...names: readonly string[]): (context: AnyContext) => Promise<void> {
  const arrived = new Set<string>()
  let open: () => void = () => {}
  const all = new Promise<void>((resolve) => {
    open = resolve
  })
  return async ({ stepName }) => {
    if (!names.includes(stepName)) return
    arrived.add(stepName)
    if (arrived.size === names.length) open()
    await all
  }
}

export function stateOf(steps: readonly Step[], name: string): StepState | undefined {
  return steps.find((step) => step.name === name)?.state
}

/** Where the first change of a step to a state is in the history of its task. */
export function indexOf(history: readonly Transition[], step: string, to: StepState): number {
  return history.findIndex((transition) => transition.step === step && transition.to === to)
}

/** Each step that started did so after all that it depends on were done. */
export function expectParentsFirst(history: readonly Transition[], { steps }: WorkflowDefinition): void {
  for (const { name, dependsOn } of steps) {
    const started = indexOf(history, name, "in_progress")
    if (started === -1) continue
    for (const parent of dependsOn) {
      const done = indexOf(history, parent, "complete")
      expect(done, `${parent} before ${name}`).toBeGreaterThan(-1)
      expect(done, `${parent} before ${name}`).toBeLessThan(started)
    }
  }
}

/** No step was started while it ran, on any worker: between two starts of it there is an end. */
export function expectOneAtATime(history: readonly Transition[]): void {
  const running = new Map<string, number | null>()
  for (const { step, to, workerId } of history) {
    if (step === null) continue
    if (to === "in_progress") expect(running.has(step), `${step} started while it ran`).toBe(false)
    if (to === "in_progress") running.set(step, workerId)
    else running.delete(step)
  }
  expect([...running]).toEqual([])
}
