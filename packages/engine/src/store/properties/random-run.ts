import fc from "fast-check"
import type { ModelStepSpec, StepOperation, TaskOperation } from "./task-model.ts"

/** How an attempt ends. */
export interface Fate {
  readonly kind: "complete" | "retry" | "error"
  readonly delayMs: number
}

export interface RandomStep extends ModelStepSpec {
  /** Of its first attempt, its second, …; the last one repeats. */
  readonly fates: readonly Fate[]
}

export interface RandomTask {
  readonly priority: number
  readonly bypass: readonly number[]
  readonly runAtMs: number
}

/** One thing that happens. Numbers stand for whatever there is at that time, modulo how many there are. */
export type Command =
  | { readonly kind: "advance"; readonly worker: number; readonly room: number; readonly ending: number }
  | { readonly kind: "tick"; readonly ms: number }
  | { readonly kind: "rescue" }
  | { readonly kind: "stop" | "stale" | "beat"; readonly worker: number }
  | { readonly kind: "recover"; readonly worker: number; readonly known: number }
  | { readonly kind: "step"; readonly operation: StepOperation; readonly task: number; readonly step: number }
  | { readonly kind: "task"; readonly operation: TaskOperation; readonly task: number }

export interface RandomRun {
  readonly steps: readonly RandomStep[]
  readonly tasks: readonly RandomTask[]
  readonly workerCount: number
  readonly commands: readonly Command[]
}

const fate: fc.Arbitrary<Fate> = fc.record({
  kind: fc.constantFrom("complete", "complete", "complete", "complete", "retry", "retry", "error"),
  delayMs: fc.constantFrom(0, 1_000, 20_000),
})

/** Up to 60 steps, each depending on up to four earlier ones. */
export function randomSteps(maxSteps: number): fc.Arbitrary<readonly RandomStep[]> {
  const drawn = fc.record({
    // Distances to earlier steps; those that reach too far are left out, which makes roots.
    distances: fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 4 }),
    skippable: fc.boolean(),
    maxAttempts: fc.integer({ min: 1, max: 3 }),
    priority: fc.constantFrom(null, null, null, 1, 4),
    fates: fc.array(fate, { minLength: 1, maxLength: 4 }),
  })
  return fc.array(drawn, { minLength: 1, maxLength: maxSteps, size: "max" }).map((steps) =>
    steps.map(({ distances, ...step }, stepNo) => ({
      ...step,
      parents: distances
        .map((distance) => stepNo - distance)
        .filter((parent) => parent >= 0)
        .toSorted((a, b) => a - b),
    })),
  )
}

const worker = fc.nat(3)
const task = fc.nat(2)

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("advance"), worker, room: fc.nat(6), ending: fc.nat(6) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("tick"), ms: fc.constantFrom(1, 1_000, 8_000) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rescue") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("stop", "stale", "beat"), worker }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("recover"), worker, known: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("step"),
      operation: fc.constantFrom("skip_step", "resolve_step", "retry_steps"),
      task,
      step: fc.nat(59),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("task"),
      operation: fc.constantFrom(
        "cancel_task",
        "pause_task",
        "resume_task",
        "resume_task",
        "resolve_task",
        "retry_task",
        "retry_task",
      ),
      task,
    }),
  },
)

/** A workflow, tasks of it, and all that happens to them before they are left in peace. */
export function randomRuns(maxSteps: number, maxCommands: number): fc.Arbitrary<RandomRun> {
  return randomSteps(maxSteps).chain((steps) => {
    const skippable = steps.flatMap((step, stepNo) => (step.skippable ? [stepNo] : []))
    return fc.record({
      steps: fc.constant(steps),
      tasks: fc.array(
        fc.record({
          priority: fc.integer({ min: 1, max: 4 }),
          bypass: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.subarray(skippable) }),
          runAtMs: fc.constantFrom(0, 0, 0, 5_000),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      workerCount: fc.integer({ min: 1, max: 4 }),
      commands: fc.array(command, { maxLength: maxCommands, size: "max" }),
    })
  })
}
