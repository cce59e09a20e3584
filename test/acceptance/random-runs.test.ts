import { type AnyWorkflow, defineTemplate, PermanentError, RetryableError, type Tasker } from "@tasker/engine"
import { createGate, createTestTasker } from "@tasker/engine/testing"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { databaseKinds } from "./databases.ts"
import { expectOneAtATime } from "./scenario.ts"

// Another one in every run of the suite. TASKER_SEED brings one back.
const seed = Number(process.env["TASKER_SEED"] ?? Date.now() % 1_000_000)
const kinds = (await databaseKinds()).filter(({ kind }) => kind !== "postgres 14")

interface RandomStep {
  readonly dependsOn: readonly number[]
  readonly skippable: boolean
  readonly transactional: boolean
  /** How often it fails before it succeeds; 9 is more often than it may. */
  readonly failures: number
  readonly isPermanent: boolean
  /** Reaches its timeout instead of throwing. */
  readonly isSlow: boolean
}

const MAX_ATTEMPTS = 2

const randomSteps: fc.Arbitrary<readonly RandomStep[]> = fc
  .array(
    fc.record({
      distances: fc.uniqueArray(fc.integer({ min: 1, max: 10 }), { maxLength: 3 }),
      skippable: fc.boolean(),
      transactional: fc.constantFrom(false, false, false, true),
      failures: fc.constantFrom(0, 0, 0, 0, 1, 9),
      isPermanent: fc.constantFrom(false, false, true),
      isSlow: fc.constantFrom(false, false, false, true),
    }),
    { minLength: 1, maxLength: 60, size: "max" },
  )
  .map((steps) =>
    steps.map(({ distances, ...step }, stepNo) => ({
      ...step,
      dependsOn: distances.map((distance) => stepNo - distance).filter((parent) => parent >= 0),
    })),
  )

/** What each step comes to when nobody interferes. */
function expectedStates(steps: readonly RandomStep[]): readonly string[] {
  const states: string[] = []
  for (const { dependsOn, failures, isPermanent, skippable } of steps) {
    const isReached = dependsOn.every((parent) => states[parent] === "complete" || states[parent] === "skipped")
    const isFailing = failures >= MAX_ATTEMPTS || (failures > 0 && isPermanent)
    if (!isReached) states.push("pending")
    else if (!isFailing) states.push("complete")
    else states.push(skippable ? "skipped" : "error")
  }
  return states
}

let version = 0

function workflowOf(steps: readonly RandomStep[]): AnyWorkflow {
  const handlers = steps.map(
    ({ failures, isPermanent, isSlow }) =>
      async ({ attempt, signal }: { attempt: number; signal: AbortSignal }) => {
        if (attempt > failures) return { attempt }
        if (isPermanent) throw new PermanentError("for good")
        if (isSlow) await createGate().pass(signal)
        throw new RetryableError("once more", { retryAfterMs: 0 })
      },
  )
  const options = {
    namespace: "random",
    name: "random",
    version: `1.0.${++version}`,
    maxAttempts: MAX_ATTEMPTS,
    timeoutMs: 150,
    backoff: { delaysMs: [0], jitter: 0 },
    steps: steps.map(({ dependsOn, skippable, transactional }, stepNo) => ({
      name: `s${stepNo}`,
      dependsOn: dependsOn.map((parent) => `s${parent}`),
      skippable,
      transactional,
      // A slow machine may keep a transactional step waiting for its connection; it is not the step that is slow.
      ...(transactional ? { timeoutMs: 10_000 } : {}),
    })),
  }
  // A template whose names are computed has no types to keep.
  const template = defineTemplate(options as never) as unknown as { implement(handlers: object): AnyWorkflow }
  return template.implement(Object.fromEntries(handlers.map((handler, stepNo) => [`s${stepNo}`, handler])))
}

describe.each(kinds)(`random workflows on real workers on $kind, seed ${seed}`, ({ kind, newUrl }) => {
  let url: string
  let keeper: Tasker

  beforeAll(async () => {
    url = await newUrl()
    keeper = await createTestTasker({ url, worker: false })
  })
  afterAll(async () => await keeper.close())

  it("end in the states that their failures call for, on any number of workers", async () => {
    // A slow machine plays fewer of them, and no fewer than one.
    const endAt = performance.now() + 4_000
    let isPlayed = false
    const property = fc.asyncProperty(
      randomSteps,
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 6 }),
      async (steps, workerCount, taskCount) => {
        if (isPlayed && performance.now() > endAt) return
        const usable = steps.map((step) => (step.transactional ? { ...step, isSlow: false } : step))
        const workflow = workflowOf(usable)
        const tasker = await createTestTasker({ url, workflows: [workflow], worker: false, poolSize: 16 })
        try {
          for (let worker = 0; worker < workerCount; worker++) await tasker.startWorker({ concurrency: 8, pollMs: 50 })
          const tasks = await tasker.createTasks(
            workflow,
            Array.from({ length: taskCount }, () => ({ input: null })),
          )
          const expected = expectedStates(usable)
          for (const task of tasks) {
            await tasker
              .waitForTask(task, { timeoutMs: 20_000 })
              .catch((error: unknown) => expect(error).toMatchObject({ code: "TASKER_TASK_FAILED" }))
            expect((await tasker.getSteps(task)).map(({ state }) => state)).toEqual(expected)
            expectOneAtATime(await tasker.getHistory(task))
          }
          expect(await tasker.verify()).toEqual([])
          isPlayed = true
        } finally {
          await tasker.close()
        }
      },
    )
    await fc.assert(property, {
      seed,
      numRuns: kind === "pglite" ? 6 : 10,
    })
  }, 60_000)
})
