import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { StepState, TaskState } from "../core/state.ts"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { migrate } from "./migrate.ts"
import { at } from "./test-clock.ts"
import { TestStore } from "./test-store.ts"
import { completed, failed, failedForGood, type TestWorker } from "./test-worker.ts"

type Verdict = "changes" | "changes nothing" | "is refused"
type StepOperation = "retry_steps" | "skip_step" | "resolve_step"
type TaskOperation = "cancel_task" | "pause_task" | "resume_task" | "retry_steps" | "resolve_task"

const [YES, SAME, NO]: readonly Verdict[] = ["changes", "changes nothing", "is refused"]

/** What each operation does to a skippable step, by the state that it is in. `waiting` comes with steps that sleep. */
const STEP_TABLE: Readonly<
  Record<Exclude<StepState, "waiting">, Readonly<Record<StepOperation, Verdict | undefined>>>
> = {
  pending: { retry_steps: SAME, skip_step: YES, resolve_step: YES },
  in_progress: { retry_steps: SAME, skip_step: NO, resolve_step: NO },
  waiting_for_retry: { retry_steps: YES, skip_step: YES, resolve_step: YES },
  complete: { retry_steps: NO, skip_step: NO, resolve_step: NO },
  error: { retry_steps: YES, skip_step: YES, resolve_step: YES },
  skipped: { retry_steps: NO, skip_step: SAME, resolve_step: NO },
  cancelled: { retry_steps: NO, skip_step: NO, resolve_step: NO },
  resolved_manually: { retry_steps: NO, skip_step: NO, resolve_step: SAME },
}

/** The same for tasks. */
const TASK_TABLE: Readonly<Record<TaskState | "paused", Readonly<Record<TaskOperation, Verdict | undefined>>>> = {
  pending: { cancel_task: YES, pause_task: YES, resume_task: SAME, retry_steps: SAME, resolve_task: NO },
  in_progress: { cancel_task: YES, pause_task: YES, resume_task: SAME, retry_steps: SAME, resolve_task: NO },
  paused: { cancel_task: YES, pause_task: SAME, resume_task: YES, retry_steps: SAME, resolve_task: NO },
  complete: { cancel_task: NO, pause_task: NO, resume_task: SAME, retry_steps: NO, resolve_task: NO },
  error: { cancel_task: NO, pause_task: YES, resume_task: SAME, retry_steps: YES, resolve_task: YES },
  cancelled: { cancel_task: SAME, pause_task: NO, resume_task: SAME, retry_steps: NO, resolve_task: NO },
  resolved_manually: { cancel_task: NO, pause_task: NO, resume_task: SAME, retry_steps: NO, resolve_task: SAME },
}

function pairs<State extends string, Operation extends string>(
  table: Readonly<Record<State, Readonly<Record<Operation, Verdict | undefined>>>>,
): readonly { readonly state: State; readonly operation: Operation; readonly verdict: Verdict }[] {
  // Keys of a record are of the type of its keys: both tables are written out above.
  const states = Object.keys(table) as State[]
  return states.flatMap((state) =>
    // As above.
    (Object.entries(table[state]) as [Operation, Verdict][]).map(([operation, verdict]) => ({
      state,
      operation,
      verdict,
    })),
  )
}

describe.each(testDatabases(migrate))("operators on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterEach(async () => expect(await store.violations()).toEqual([]))
  afterAll(async () => await opened.close())

  const NOTE = ["ann", "the bank called"] as const

  async function onStep(operation: StepOperation, taskId: string, name: string, now = at(50)): Promise<boolean> {
    const values = operation === "resolve_step" ? [taskId, name, '{"by":"hand"}', ...NOTE] : [taskId, name, ...NOTE]
    return await store.call(operation, values, now)
  }

  async function onTask(operation: TaskOperation, taskId: string, now = at(50)): Promise<boolean> {
    return await store.call(operation, operation === "retry_steps" ? [taskId, null, ...NOTE] : [taskId, ...NOTE], now)
  }

  async function verdictOf(change: Promise<boolean>, refusal: string): Promise<Verdict> {
    try {
      return (await change) ? "changes" : "changes nothing"
    } catch (error) {
      expect(error).toMatchObject({ code: refusal })
      return "is refused"
    }
  }

  /** A task whose skippable step `subject` is in a state, with a step after it. */
  async function taskWithStep(state: Exclude<StepState, "waiting">): Promise<{ taskId: string; worker: TestWorker }> {
    const workflow = await store.define({
      subject: { skippable: state !== "error", maxAttempts: 2 },
      after: { dependsOn: ["subject"] },
    })
    const worker = await store.worker(workflow)
    const taskId = await store.createTask(workflow, state === "skipped" ? { bypass: ["subject"] } : {})
    if (state === "complete") await worker.finish(completed(await worker.claimOne(), 1))
    if (state === "in_progress") await worker.claimOne()
    if (state === "waiting_for_retry") await worker.finish(failed(await worker.claimOne(), 60_000))
    if (state === "cancelled") await onTask("cancel_task", taskId)
    if (state === "resolved_manually") await onStep("resolve_step", taskId, "subject")
    if (state === "error") {
      await worker.finish(failedForGood(await worker.claimOne()))
      // A skippable step never gets here by itself; the definition is what an operator's call looks at.
      await opened.database.query({
        text: "update tasker.workflow_steps set skippable = true where workflow_id = $1 and name = 'subject'",
        values: [workflow.workflowId],
      })
    }
    expect(await store.step(taskId, "subject")).toMatchObject({ state })
    return { taskId, worker }
  }

  async function taskIn(state: TaskState | "paused"): Promise<{ taskId: string; worker: TestWorker }> {
    const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] } })
    const worker = await store.worker(workflow)
    const taskId = await store.createTask(workflow)
    if (state === "paused") await onTask("pause_task", taskId)
    if (state === "in_progress") await worker.claimOne()
    if (state === "complete") {
      const { claimed } = await worker.advance({ outcomes: [completed(await worker.claimOne())] })
      await worker.finish(completed(claimed[0]!))
    }
    if (state === "error" || state === "resolved_manually") await worker.finish(failedForGood(await worker.claimOne()))
    if (state === "resolved_manually") await onTask("resolve_task", taskId)
    if (state === "cancelled") await onTask("cancel_task", taskId)
    if (state !== "paused") expect(await store.task(taskId)).toMatchObject({ state })
    return { taskId, worker }
  }

  async function picture(taskId: string): Promise<unknown> {
    return [await store.task(taskId), await store.steps(taskId), await store.history(taskId)]
  }

  it.each(pairs(STEP_TABLE))("$operation of a step that is $state $verdict", async ({ state, operation, verdict }) => {
    const { taskId } = await taskWithStep(state)
    const before = await picture(taskId)
    expect(await verdictOf(onStep(operation, taskId, "subject"), "TASKER_TRANSITION_INVALID")).toBe(verdict)
    if (verdict !== "changes") expect(await picture(taskId)).toEqual(before)
    else expect(await onStep(operation, taskId, "subject", at(50))).toBe(false)
  })

  it.each(pairs(TASK_TABLE))("$operation of a task that is $state $verdict", async ({ state, operation, verdict }) => {
    const { taskId } = await taskIn(state)
    const before = await picture(taskId)
    expect(await verdictOf(onTask(operation, taskId), "TASKER_TRANSITION_INVALID")).toBe(verdict)
    if (verdict !== "changes") expect(await picture(taskId)).toEqual(before)
    else expect(await onTask(operation, taskId)).toBe(false)
  })

  it.each(["retry_steps", "skip_step", "resolve_step"] as const)(
    "%s of a step that is not there is refused",
    async (operation) => {
      const { taskId } = await taskWithStep("pending")
      await expect(onStep(operation, taskId, "nobody")).rejects.toMatchObject({ code: "TASKER_STEP_NOT_FOUND" })
    },
  )

  it.each(["cancel_task", "pause_task", "resume_task", "retry_steps", "resolve_task"] as const)(
    "%s of a task that is not there is refused",
    async (operation) => {
      const nobody = "00000000-0000-7000-8000-000000000000"
      await expect(onTask(operation, nobody)).rejects.toMatchObject({ code: "TASKER_TASK_NOT_FOUND" })
    },
  )

  it("skip_step of a step that is needed is refused", async () => {
    const { taskId } = await taskIn("pending")
    await expect(onStep("skip_step", taskId, "one")).rejects.toMatchObject({ code: "TASKER_STEP_NOT_SKIPPABLE" })
  })

  describe("what changes", () => {
    it("skip_step lets the dependents run, and says who and why", async () => {
      const { taskId, worker } = await taskWithStep("waiting_for_retry")
      await onStep("skip_step", taskId, "subject")
      expect((await store.history(taskId)).at(-1)).toMatchObject({
        name: "subject",
        from_state: "waiting_for_retry",
        to_state: "skipped",
        cause: "skipped",
        actor: "ann",
        reason: "the bank called",
        at: at(50),
      })
      expect((await worker.advance({ now: at(50) })).claimed).toMatchObject([{ name: "after", results: {} }])
    })

    it("resolve_step gives the dependents the operator's result", async () => {
      const { taskId, worker } = await taskWithStep("error")
      await onStep("resolve_step", taskId, "subject")
      expect(await store.task(taskId)).toMatchObject({ state: "in_progress", finished_at: null })
      const { claimed } = await worker.advance({ now: at(50) })
      expect(claimed).toMatchObject([{ name: "after", results: { subject: { by: "hand" } } }])
      expect((await worker.finish(completed(claimed[0]!))).ended).toEqual([{ taskId, state: "complete" }])
      expect(await store.path(taskId)).toEqual(["pending", "in_progress", "error", "in_progress", "complete"])
    })

    it("a step that was settled before its parents were done is not started by them", async () => {
      const workflow = await store.define({ one: {}, two: { dependsOn: ["one"] }, three: { dependsOn: ["two"] } })
      const taskId = await store.createTask(workflow)
      await onStep("resolve_step", taskId, "two")
      const worker = await store.worker(workflow)
      const first = await worker.advance({ now: at(50) })
      expect(first.names).toEqual(["one#1", "three#1"])
      const turn = await worker.advance({ outcomes: first.claimed.map((claim) => completed(claim)), now: at(50) })
      expect(turn).toMatchObject({ claimed: [], ended: [{ taskId, state: "complete" }] })
      expect(await store.step(taskId, "two")).toMatchObject({ state: "resolved_manually", waiting_on: 0, attempts: 0 })
    })

    it("resolving the last failed step of a task whose others are done completes it", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.finish(failedForGood(await worker.claimOne()))
      await onStep("resolve_step", taskId, "only")
      expect(await store.task(taskId)).toMatchObject({ state: "complete", finished_at: at(50) })
      expect(await store.path(taskId)).toEqual(["pending", "in_progress", "error", "in_progress", "complete"])
    })

    it("settling one of two failed steps leaves the task in error", async () => {
      const workflow = await store.define({ a: {}, b: {}, c: { dependsOn: ["a", "b"] } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claims = await worker.claim()
      await worker.finish(...claims.map((claim) => failedForGood(claim)))
      const { finished_at: failedAt } = await store.task(taskId)
      await onStep("resolve_step", taskId, "a")
      expect(await store.task(taskId)).toMatchObject({ state: "error", failed_steps: 1, finished_at: failedAt })
      expect((await store.path(taskId)).at(-1)).toBe("error")
    })

    it("retry_steps gives a failed step a new set of attempts, numbered on", async () => {
      const workflow = await store.define({ only: { maxAttempts: 2 } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.finish(failed(await worker.claimOne()))
      await worker.finish(failed(await worker.claimOne()))
      expect(await onTask("retry_steps", taskId)).toBe(true)
      expect(await store.step(taskId, "only")).toMatchObject({
        state: "pending",
        attempts: 2,
        max_attempts: 4,
        finished_at: null,
      })
      expect(await store.task(taskId)).toMatchObject({ state: "in_progress", active_steps: 1, finished_at: null })
      const third = await worker.claimOne(at(50))
      expect(third).toMatchObject({ attempt: 3, maxAttempts: 4 })
      await worker.finish(completed(third))
      expect(await store.path(taskId, "only")).toEqual([
        "in_progress",
        "waiting_for_retry",
        "in_progress",
        "error",
        "pending",
        "in_progress",
        "complete",
      ])
      expect((await store.history(taskId)).filter(({ cause }) => cause === "retried")).toMatchObject([
        { name: "only", actor: "ann", reason: "the bank called" },
        { name: null, actor: "ann" },
      ])
    })

    it("retry_steps of one failed step leaves the others in error", async () => {
      const workflow = await store.define({ a: {}, b: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      await worker.finish(...(await worker.claim()).map((claim) => failedForGood(claim)))
      await onStep("retry_steps", taskId, "a")
      expect(await store.states(taskId)).toEqual({ a: "pending", b: "error" })
      const turn = await worker.finish(completed(await worker.claimOne(at(50))))
      expect(turn.ended).toEqual([{ taskId, state: "error" }])
    })

    it("retry_steps of a step that waits for its retry makes it due now", async () => {
      const { taskId, worker } = await taskWithStep("waiting_for_retry")
      expect(await worker.claim(1, at(50))).toEqual([])
      expect(await onStep("retry_steps", taskId, "subject")).toBe(true)
      expect((await store.history(taskId)).at(-1)).toMatchObject({
        name: "subject",
        from_state: "waiting_for_retry",
        to_state: "waiting_for_retry",
        cause: "hastened",
        actor: "ann",
        reason: "the bank called",
      })
      expect(await worker.claimOne(at(50))).toMatchObject({ name: "subject", attempt: 2, maxAttempts: 2 })
    })

    it("cancel_task ends every step that has not ended, and refuses what running ones return", async () => {
      const workflow = await store.define({
        done: {},
        running: {},
        delayed: {},
        failed: { maxAttempts: 1 },
        blocked: { dependsOn: ["running", "failed"] },
      })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claims = await worker.claim()
      const claimOf = (name: string) => claims.find((claim) => claim.name === name)!
      await worker.finish(completed(claimOf("done"), 1), failed(claimOf("delayed"), 60_000), failed(claimOf("failed")))
      expect(await onTask("cancel_task", taskId)).toBe(true)
      expect(await store.states(taskId)).toEqual({
        done: "complete",
        running: "cancelled",
        delayed: "cancelled",
        failed: "cancelled",
        blocked: "cancelled",
      })
      expect(await store.task(taskId)).toMatchObject({
        state: "cancelled",
        active_steps: 0,
        failed_steps: 0,
        finished_at: at(50),
      })
      expect(await worker.finish(completed(claimOf("running"), "late"))).toMatchObject({
        ended: [],
        lost: [{ taskId }],
      })
      expect(await store.step(taskId, "running")).toMatchObject({ state: "cancelled", result: null })
      expect(
        (await store.history(taskId)).filter(({ to_state: to }) => to === "cancelled").map(({ actor }) => actor),
      ).toEqual(Array.from({ length: 5 }, () => "ann"))
    })

    it("a paused task hands out nothing: neither what is ready, nor children, nor retries", async () => {
      const workflow = await store.define({ a: {}, b: {}, c: {}, after: { dependsOn: ["a"] } })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const [one, two] = await worker.claim(2)
      expect(await onTask("pause_task", taskId)).toBe(true)
      const turn = await worker.advance({ outcomes: [completed(one!), failed(two!)], now: at(60) })
      expect(turn).toMatchObject({ claimed: [], ended: [] })
      expect(await worker.claim(10, at(70))).toEqual([])
      expect(await store.task(taskId)).toMatchObject({ state: "in_progress", paused_at: at(50) })
      expect(await onTask("resume_task", taskId, at(80))).toBe(true)
      expect(await worker.claim(10, at(80))).toHaveLength(2 + (one!.name === "a" ? 1 : 0))
      expect(
        (await store.history(taskId)).filter(({ cause }) => cause === "paused" || cause === "resumed"),
      ).toMatchObject([
        {
          name: null,
          from_state: "in_progress",
          to_state: "in_progress",
          cause: "paused",
          actor: "ann",
          reason: "the bank called",
        },
        { cause: "resumed", actor: "ann" },
      ])
    })

    it("a failed task that is paused is retried once it is resumed", async () => {
      const { taskId, worker } = await taskIn("error")
      await onTask("pause_task", taskId)
      await onTask("retry_steps", taskId)
      expect(await worker.claim(10, at(60))).toEqual([])
      await onTask("resume_task", taskId)
      expect(await worker.claimOne(at(60))).toMatchObject({ name: "one", attempt: 2 })
    })

    it("a task whose last running step ends while it is paused is complete", async () => {
      const workflow = await store.define({ only: {} })
      const taskId = await store.createTask(workflow)
      const worker = await store.worker(workflow)
      const claim = await worker.claimOne()
      await onTask("pause_task", taskId)
      expect((await worker.finish(completed(claim))).ended).toEqual([{ taskId, state: "complete" }])
    })

    it("resolve_task closes a failed task, and leaves its steps for the record", async () => {
      const { taskId } = await taskIn("error")
      const steps = await store.states(taskId)
      await onTask("resolve_task", taskId)
      expect(await store.task(taskId)).toMatchObject({ state: "resolved_manually", finished_at: at(50) })
      expect(await store.states(taskId)).toEqual(steps)
      for (const operation of ["retry_steps", "skip_step", "resolve_step"] as const) {
        await expect(onStep(operation, taskId, "one")).rejects.toMatchObject({
          code: operation === "skip_step" ? "TASKER_STEP_NOT_SKIPPABLE" : "TASKER_TRANSITION_INVALID",
        })
      }
    })
  })
})
