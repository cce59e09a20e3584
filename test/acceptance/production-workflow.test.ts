import { type AnyWorkflow, defineWorkflow, isTaskerError, RetryableError, type Tasker } from "@tasker/engine"
import { createTestTasker, runTask, untilEnd, untilStep } from "@tasker/engine/testing"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { databaseKinds } from "./databases.ts"
import {
  type AnyContext,
  expectOneAtATime,
  expectParentsFirst,
  indexOf,
  meetingOf,
  openScenario,
  type Scenario,
  stateOf,
} from "./scenario.ts"

/** The scenarios of the original's production_workflow_spec, with what a correct engine must do. */
describe.each(await databaseKinds())("production workflows on $kind", ({ newUrl }) => {
  let scenario: Scenario
  let tasker: Tasker

  beforeAll(async () => {
    scenario = await openScenario(await newUrl())
    tasker = scenario.tasker
  })
  afterEach(async () => {
    scenario.reset()
    expect(await tasker.verify()).toEqual([])
  })
  afterAll(async () => await tasker.close())

  /** A failure that asks for its next attempt after so long. */
  function failOnce(delays: Readonly<Record<string, number>>): (context: AnyContext) => void {
    return ({ stepName, attempt }) => {
      const retryAfterMs = delays[stepName]
      if (attempt === 1 && retryAfterMs !== undefined) throw new RetryableError("not yet", { retryAfterMs })
    }
  }

  it("P1: a sequential workflow completes in order, although a step fails once", async () => {
    const { linear } = scenario.patterns
    const run = await runTask(tasker, linear, {})
    expect(run).toMatchObject({
      state: "complete",
      attempts: { initialize_data: 1, process_data: 2, finalize_workflow: 1 },
    })
    const history = await tasker.getHistory(run.taskId)
    expectParentsFirst(history, linear.definition)
    const completed = history.filter(({ step, to }) => step !== null && to === "complete").map(({ step }) => step)
    expect(completed).toEqual(linear.definition.steps.map(({ name }) => name))
  })

  it("P2: a failed step waits for its retry, which comes by itself when it is due", async () => {
    // Long enough to be looked at meanwhile.
    scenario.script.before = failOnce({ process_data: 3_000 })
    scenario.script.failures["process_data"] = 0
    const task = await tasker.createTask(scenario.patterns.linear, {})
    const waiting = await untilStep(tasker, task, "process_data", "waiting_for_retry")
    expect(waiting).toMatchObject({ attempts: 1, blockedBy: "retry", error: { message: "not yet" } })
    const context = await tasker.getExecutionContext(task)
    expect(context).toMatchObject({
      executionStatus: "waiting_for_retry",
      recommendedAction: "wait_for_retry",
      healthStatus: "recovering",
      completeSteps: 2,
      waitingForRetrySteps: 1,
    })
    expect(await untilEnd(tasker, task)).toMatchObject({ state: "complete", attempts: { process_data: 2 } })
    const second = (await tasker.getHistory(task)).find(
      ({ step, attempt, to }) => step === "process_data" && attempt === 2 && to === "in_progress",
    )
    expect(second?.at.getTime()).toBeGreaterThanOrEqual(waiting.nextRetryAt?.getTime() ?? Number.NaN)
  })

  it("P3: a step without attempts left is in error, its task too, and nothing after it runs", async () => {
    scenario.script.failures["process_data"] = Number.POSITIVE_INFINITY
    const run = await runTask(tasker, scenario.patterns.linear, {})
    expect(run).toMatchObject({ state: "error", attempts: { process_data: 3, transform_results: 0 } })
    expect(run.error?.message).toBe("process_data fails, as it was told to")
    const steps = await tasker.getSteps(run.taskId)
    expect(steps.map(({ state }) => state)).toEqual(["complete", "complete", "error", "pending", "pending", "pending"])
    expect(steps[3]).toMatchObject({ blockedBy: "parents", blockedBySteps: ["process_data"] })
    expect(await tasker.getExecutionContext(run.taskId)).toMatchObject({
      executionStatus: "blocked_by_failures",
      recommendedAction: "handle_failures",
      healthStatus: "blocked",
      errorSteps: 1,
      completionPercentage: 33.33,
    })
    const failure = await tasker.waitForTask(run.taskId).catch((error: unknown) => error)
    expect(isTaskerError(failure, "TASKER_TASK_FAILED")).toBe(true)
    expect(failure).toMatchObject({
      details: { step: "process_data", attempts: 3 },
      cause: { message: run.error?.message },
    })
  })

  it("P4: parallel branches overlap in time, and the merge comes after both", async () => {
    const { diamond } = scenario.patterns
    scenario.script.before = meetingOf("branch_one_process", "branch_two_process")
    const run = await runTask(tasker, diamond, {})
    expect(run).toMatchObject({
      state: "complete",
      attempts: { branch_one_process: 2, branch_two_process: 2, merge_branches: 1 },
    })
    const history = await tasker.getHistory(run.taskId)
    expectParentsFirst(history, diamond.definition)
    const lastStart = Math.max(
      indexOf(history, "branch_one_process", "in_progress"),
      indexOf(history, "branch_two_process", "in_progress"),
    )
    const firstEnd = Math.min(
      indexOf(history, "branch_one_process", "waiting_for_retry"),
      indexOf(history, "branch_two_process", "waiting_for_retry"),
    )
    expect(lastStart).toBeLessThan(firstEnd)
  })

  it("P5: a merge that fails is tried again, and the task completes", async () => {
    scenario.script.failures["merge_branches"] = 1
    const run = await runTask(tasker, scenario.patterns.diamond, {})
    expect(run).toMatchObject({
      state: "complete",
      attempts: { merge_branches: 2, branch_one_validate: 1, end_workflow: 1 },
    })
  })

  it("P6: a branch that fails for good keeps the merge from starting, and the other branch completes", async () => {
    scenario.script.failures["branch_one_process"] = Number.POSITIVE_INFINITY
    const run = await runTask(tasker, scenario.patterns.diamond, {})
    expect(run).toMatchObject({
      state: "error",
      attempts: { branch_one_process: 3, branch_two_validate: 1, merge_branches: 0 },
    })
    const steps = await tasker.getSteps(run.taskId)
    expect(stateOf(steps, "branch_two_validate")).toBe("complete")
    expect(stateOf(steps, "merge_branches")).toBe("pending")
    expect(scenario.handlers.executionCount(run.taskId, "merge_branches")).toBe(0)
  })

  it("P7: a tree completes level by level", async () => {
    const { tree } = scenario.patterns
    const run = await runTask(tasker, tree, {})
    expect(run.state).toBe("complete")
    expectParentsFirst(await tasker.getHistory(run.taskId), tree.definition)
  })

  it("P8: the roots of a parallel merge run at the same time", async () => {
    const { parallelMerge } = scenario.patterns
    scenario.script.before = meetingOf(
      "fetch_user_data",
      "fetch_order_data",
      "fetch_inventory_data",
      "fetch_pricing_data",
    )
    const run = await runTask(tasker, parallelMerge, {})
    expect(run.state).toBe("complete")
    expectParentsFirst(await tasker.getHistory(run.taskId), parallelMerge.definition)
  })

  it("P9: at every moment, what is ready or runs has its dependencies done", async () => {
    const { mixed } = scenario.patterns
    const doneDependencies: boolean[] = []
    scenario.script.before = async ({ taskId }) => {
      const steps = await tasker.getSteps(taskId)
      for (const step of steps) {
        if (step.blockedBy !== "ready" && step.state !== "in_progress" && step.blockedBy !== "retry") continue
        doneDependencies.push(step.dependsOn.every((name) => stateOf(steps, name) === "complete"))
      }
    }
    const run = await runTask(tasker, mixed, {})
    expect(run.state).toBe("complete")
    expect(doneDependencies.length).toBeGreaterThan(mixed.definition.steps.length)
    expect(doneDependencies).not.toContain(false)
  })

  it("P10: what is complete is never ready, and never runs again", async () => {
    const run = await runTask(tasker, scenario.patterns.linear, {})
    const before = await tasker.getHistory(run.taskId)
    const worker = await tasker.startWorker()
    worker.wake()
    await expect(tasker.retryTask(run.taskId)).rejects.toMatchObject({ code: "TASKER_TRANSITION_INVALID" })
    // Another task, so that both workers have looked for work after the first was complete.
    await runTask(tasker, scenario.patterns.linear, {})
    await worker.stop()
    expect((await tasker.getSteps(run.taskId)).map(({ blockedBy }) => blockedBy)).toEqual(
      Array.from({ length: 6 }, () => null),
    )
    expect(await tasker.getHistory(run.taskId)).toEqual(before)
    expect(scenario.handlers.executionCount(run.taskId, "initialize_data")).toBe(1)
  })

  it("P11: who runs the steps is chosen from outside: other workers, with other options", async () => {
    const url = await newUrl()
    const other = await openScenario(url, false)
    const task = await other.tasker.createTask(other.patterns.tree, {})
    expect(await other.tasker.getSteps(task)).toMatchObject([
      { blockedBy: "no_worker" },
      ...Array.from({ length: 7 }, () => ({ blockedBy: "parents" })),
    ])
    const [wrong, right] = [
      await other.tasker.startWorker({ name: "wrong", queues: ["elsewhere"] }),
      await other.tasker.startWorker({ name: "right", queues: ["patterns"], concurrency: 1, lanes: 1, pollMs: 10 }),
    ]
    expect(await untilEnd(other.tasker, task)).toMatchObject({ state: "complete" })
    const workers = new Set((await other.tasker.getHistory(task)).flatMap(({ workerId }) => workerId ?? []))
    expect([...workers]).toEqual([right.workerId])
    expect(wrong.runningCount).toBe(0)
    await other.tasker.close()
  })

  it("P13: a failed step is due when it asked to be, and the task's next wake-up is then", async () => {
    scenario.script.before = failOnce({ initialize_data: 120_000 })
    const task = await tasker.createTask(scenario.patterns.linear, {})
    const step = await untilStep(tasker, task, "initialize_data", "waiting_for_retry")
    const failedAt =
      (await tasker.getHistory(task)).find(({ to }) => to === "waiting_for_retry")?.at.getTime() ?? Number.NaN
    expect((step.nextRetryAt?.getTime() ?? Number.NaN) - failedAt).toBe(120_000)
    await tasker.cancelTask(task)
  })

  it("P14: of several failed steps, the earliest is tried first", async () => {
    scenario.script.before = failOnce({ fetch_user_data: 600_000, fetch_order_data: 300 })
    scenario.script.failures["fetch_order_data"] = 0
    const task = await tasker.createTask(scenario.patterns.parallelMerge, {})
    await untilStep(tasker, task, "process_order_data", "complete")
    const steps = await tasker.getSteps(task)
    expect(stateOf(steps, "fetch_order_data")).toBe("complete")
    expect(stateOf(steps, "fetch_user_data")).toBe("waiting_for_retry")
    await untilStep(tasker, task, "fetch_inventory_data", "complete")
    expect(await tasker.getExecutionContext(task)).toMatchObject({
      executionStatus: "waiting_for_retry",
      healthStatus: "recovering",
    })
    await tasker.cancelTask(task)
  })

  it("P15: without a backoff of its own, a step waits the default time", async () => {
    const defaults = defineWorkflow({ namespace: "acceptance", name: "defaults", version: "1.0.0" }).step("only", {
      handler: async () => {
        // Nobody takes the next attempt, however late it is looked at.
        await other.pauseQueue("acceptance")
        throw new Error("it fails")
      },
    })
    const other: Tasker = await createTestTasker({ url: await newUrl(), workflows: [defaults] })
    const task = await other.createTask(defaults, null)
    const step = await untilStep(other, task, "only", "waiting_for_retry")
    const failedAt =
      (await other.getHistory(task)).find(({ to }) => to === "waiting_for_retry")?.at.getTime() ?? Number.NaN
    const delayMs = (step.nextRetryAt?.getTime() ?? Number.NaN) - failedAt
    expect(delayMs).toBeGreaterThanOrEqual(900)
    expect(delayMs).toBeLessThanOrEqual(1_100)
    expect(step.maxAttempts).toBe(3)
    await other.close()
  })

  it("P16: a task that is complete already gives defined results to everything that is asked of it", async () => {
    const run = await runTask(tasker, scenario.patterns.linear, {})
    expect(await tasker.waitForTask(run.taskId)).toMatchObject({ state: "complete" })
    for (const operation of ["cancelTask", "pauseTask", "retryTask", "resolveTask"] as const) {
      await expect(tasker[operation](run.taskId)).rejects.toMatchObject({ code: "TASKER_TRANSITION_INVALID" })
    }
    expect(await tasker.resumeTask(run.taskId)).toEqual({ changed: false })
    expect(await tasker.getExecutionContext(run.taskId)).toMatchObject({
      executionStatus: "all_complete",
      recommendedAction: "none",
      healthStatus: "healthy",
      completionPercentage: 100,
    })
  })

  it("P17: under failures, attempts are executions, and results are there if and only if steps are complete", async () => {
    scenario.script.failures["validate_permissions"] = 2
    scenario.script.failures["process_optional_data"] = Number.POSITIVE_INFINITY
    const run = await runTask(tasker, scenario.patterns.mixed, {})
    expect(run.state).toBe("error")
    const steps = await tasker.getSteps(run.taskId)
    for (const step of steps) {
      expect(step.attempts, step.name).toBe(scenario.handlers.executionCount(run.taskId, step.name))
      expect(step.result !== null, step.name).toBe(step.state === "complete")
      expect(step.finishedAt !== null, step.name).toBe(["complete", "error"].includes(step.state))
    }
    expectOneAtATime(await tasker.getHistory(run.taskId))
  })

  it("the idempotency key is the same in every attempt, so that the work is done once", async () => {
    const run = await runTask(tasker, scenario.patterns.configurableFailure, {})
    expect(run).toMatchObject({
      state: "complete",
      attempts: { reliable_step: 1, flaky_step: 3, timeout_step: 2, idempotent_step: 2 },
    })
    expect(scenario.handlers.effectCount(run.taskId, "idempotent_step")).toBe(1)
  })

  it.each([
    ["linear", { process_data: 2 }],
    ["diamond", { branch_one_process: 2, branch_two_process: 2 }],
    ["parallelMerge", { fetch_order_data: 2, fetch_inventory_data: 2, merge_all_data: 2 }],
    ["tree", { branch_b_setup: 2, branch_a_task_two: 2, branch_b_task_two: 2 }],
    ["mixed", { validate_permissions: 2, setup_environment: 2, process_critical_data: 3, finalize_and_report: 2 }],
  ] as const)("pattern %s completes, with as many attempts as its failures make", async (name, retried) => {
    const workflow: AnyWorkflow = scenario.patterns[name]
    const run = await runTask(tasker, workflow, {})
    expect(run.state).toBe("complete")
    const once = Object.fromEntries(workflow.definition.steps.map((step) => [step.name, 1]))
    expect({ ...run.attempts }).toEqual({ ...once, ...retried })
    const history = await tasker.getHistory(run.taskId)
    expectParentsFirst(history, workflow.definition)
    expectOneAtATime(history)
  })
})
