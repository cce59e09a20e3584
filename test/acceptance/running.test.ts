import {
  type AnyWorkflow,
  defineWorkflow,
  PermanentError,
  RetryableError,
  type StepTransaction,
  type Tasker,
} from "@tasker/engine"
import { createGate, createTestTasker, runTask, untilEnd, untilStep } from "@tasker/engine/testing"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { databaseKinds } from "./databases.ts"
import { type AnyContext, expectOneAtATime } from "./scenario.ts"

type Handler = (context: AnyContext & { readonly tx?: StepTransaction }) => unknown

const FAST = { baseMs: 10, capMs: 10, factor: 1, jitter: 0 }

/** What the steps of the workflows below do in the test that runs. */
const script = new Map<string, Handler>()
const scripted = (context: AnyContext): never => {
  const handler = script.get(context.stepName)
  // What a test returns is what it looks for; the types of results are tested elsewhere.
  return handler?.(context) as never
}

const shared = { namespace: "running", backoff: FAST } as const
const single = defineWorkflow<unknown>({ ...shared, name: "single", version: "1.0.0" }).step("only", {
  handler: scripted,
})
const hasty = defineWorkflow<unknown>({
  ...shared,
  name: "hasty",
  version: "1.0.0",
  timeoutMs: 100,
  maxAttempts: 2,
}).step("only", { handler: scripted })
const pair = defineWorkflow<unknown>({ ...shared, name: "pair", version: "1.0.0" })
  .step("left", { handler: scripted })
  .step("right", { handler: scripted })
  .step("join", { dependsOn: ["left", "right"], handler: scripted })
const optional = defineWorkflow<unknown>({ ...shared, name: "optional", version: "1.0.0" })
  .step("maybe", { skippable: true, maxAttempts: 1, handler: scripted })
  .step("after", { dependsOn: ["maybe"], handler: scripted })
const transactional = defineWorkflow<unknown>({
  ...shared,
  name: "transactional",
  version: "1.0.0",
  queue: "tight",
}).step("write", {
  transactional: true,
  handler: scripted,
})
const versionOne = defineWorkflow({ ...shared, name: "upgraded", version: "1.0.0" })
  .step("old", { handler: scripted })
  .step("next", { dependsOn: ["old"], handler: scripted })
const versionTwo = defineWorkflow({ ...shared, name: "upgraded", version: "2.0.0" }).step("fresh", {
  handler: scripted,
})
const withDefaults = defineWorkflow<{ readonly a: number; readonly b: string }, { readonly a: number }>({
  ...shared,
  name: "with_defaults",
  version: "1.0.0",
  input: {
    type: "object",
    properties: { a: { type: "number" }, b: { type: "string", default: "x" }, c: { type: "string" } },
    required: ["a"],
  },
}).step("only", { handler: ({ input }) => input })
const workflows = [single, hasty, pair, optional, transactional, versionOne, versionTwo, withDefaults]

describe.each(await databaseKinds())("running on $kind", ({ newUrl }) => {
  let tasker: Tasker

  beforeAll(async () => {
    tasker = await createTestTasker({ url: await newUrl(), workflows })
  })
  afterEach(async () => {
    script.clear()
    expect(await tasker.verify()).toEqual([])
  })
  afterAll(async () => await tasker.close())

  function play(handlers: Readonly<Record<string, Handler>>): void {
    for (const [name, handler] of Object.entries(handlers)) script.set(name, handler)
  }

  async function startsOf(taskId: string): Promise<readonly (number | null)[]> {
    const history = await tasker.getHistory(taskId)
    return history.filter(({ step, to }) => step !== null && to === "in_progress").map(({ attempt }) => attempt)
  }

  describe("failures", () => {
    it("a permanent error is not tried again", async () => {
      play({
        only: () => {
          throw new PermanentError("the card is stolen", { code: "STOLEN" })
        },
      })
      const run = await runTask(tasker, single, null)
      expect(run).toMatchObject({
        state: "error",
        attempts: { only: 1 },
        error: { name: "PermanentError", code: "STOLEN" },
      })
    })

    it("a retry comes when the handler asked for it, not when the backoff says", async () => {
      play({
        only: ({ attempt }) => {
          if (attempt === 1) throw new RetryableError("too many requests", { retryAfterMs: 300 })
          return attempt
        },
      })
      const run = await runTask(tasker, single, null)
      const history = await tasker.getHistory(run.taskId)
      const failedAt = history.find(({ to }) => to === "waiting_for_retry")?.at.getTime() ?? Number.NaN
      const againAt =
        history.find(({ to, attempt }) => to === "in_progress" && attempt === 2)?.at.getTime() ?? Number.NaN
      expect(againAt - failedAt).toBeGreaterThanOrEqual(300)
      expect(run.results.only).toBe(2)
    })

    it.each([
      ["text", "boom", "boom"],
      ["nothing", undefined, "undefined"],
      ["an object", { because: 1 }, '{"because":1}'],
      ["what cannot be stored", new Error("a\u0000b \uD800"), "a\uFFFDb \uFFFD"],
    ])("a handler may throw %s", async (_what, thrown, message) => {
      play({
        only: () => {
          // oxlint-disable-next-line typescript/only-throw-error -- what handlers written by others do
          throw thrown
        },
      })
      expect(await runTask(tasker, single, null)).toMatchObject({
        state: "error",
        attempts: { only: 3 },
        error: { message },
      })
    })

    it.each([
      ["a BigInt", () => 1n],
      [
        "a circle",
        () => {
          const circle: Record<string, unknown> = {}
          circle["self"] = circle
          return circle
        },
      ],
      ["the NUL character", () => "a\u0000"],
      ["too much", () => "x".repeat(1_100_000)],
    ])(
      "a step that returns %s fails for good, because another attempt would return the same",
      async (_what, result) => {
        play({ only: result })
        expect(await runTask(tasker, single, null)).toMatchObject({
          state: "error",
          attempts: { only: 1 },
          error: { code: "TASKER_RESULT_INVALID" },
        })
      },
    )

    it("a skippable step that fails is skipped, and what comes after it sees undefined", async () => {
      const seen: unknown[] = []
      play({
        maybe: () => {
          throw new Error("no")
        },
        after: ({ results }) => seen.push(results),
      })
      expect(await runTask(tasker, optional, null)).toMatchObject({ state: "complete" })
      expect(seen).toEqual([Object.assign(Object.create(null), { maybe: undefined })])
    })
  })

  describe("timeouts", () => {
    it("abort the signal, and the attempt is tried again", async () => {
      const reasons: unknown[] = []
      play({
        only: async ({ attempt, signal }) => {
          if (attempt === 2) return "in time"
          await new Promise((resolve) => signal.addEventListener("abort", resolve))
          reasons.push(signal.reason)
          throw signal.reason
        },
      })
      const run = await runTask(tasker, hasty, null)
      expect(run).toMatchObject({ state: "complete", results: { only: "in time" }, attempts: { only: 2 } })
      expect(reasons).toMatchObject([{ code: "TASKER_STEP_TIMEOUT" }])
      expect((await tasker.getHistory(run.taskId)).find(({ to }) => to === "waiting_for_retry")).toMatchObject({
        cause: "timeout",
        error: { code: "TASKER_STEP_TIMEOUT" },
      })
    })

    it("do not wait for a handler that ignores its signal, and refuse what it returns late", async () => {
      const gate = createGate()
      play({ only: async ({ attempt }) => (attempt === 1 ? (await gate.pass(), "late") : "right") })
      const run = await runTask(tasker, hasty, null)
      gate.open()
      expect(run.results.only).toBe("right")
      expect(await startsOf(run.taskId)).toEqual([1, 2])
    })
  })

  describe("operators", () => {
    it("cancelling a task gives its running steps their signal, and refuses what they return", async () => {
      const gate = createGate()
      const reasons: unknown[] = []
      play({
        left: async ({ signal }) => await gate.pass(signal).catch((error: unknown) => void reasons.push(error)),
        right: async () => (await gate.pass(), "ignores its signal"),
      })
      const task = await tasker.createTask(pair, null)
      await gate.reached(2)
      await untilStep(tasker, task, "left", "in_progress")
      expect(await tasker.cancelTask(task, { by: "ann", reason: "changed her mind" })).toEqual({ changed: true })
      expect(await tasker.cancelTask(task)).toEqual({ changed: false })
      await expect(tasker.waitForTask(task)).rejects.toMatchObject({ code: "TASKER_TASK_CANCELLED" })
      await untilReached(() => reasons.length > 0)
      gate.open()
      expect(reasons).toMatchObject([{ code: "TASKER_TASK_CANCELLED" }])
      // Another task, so that the worker has said by now whatever it had to say of the first.
      play({ only: () => 1 })
      await runTask(tasker, single, null)
      expect((await tasker.getSteps(task)).map(({ state, result }) => [state, result])).toEqual(
        Array.from({ length: 3 }, () => ["cancelled", null]),
      )
    })

    it("a failed step is resolved by hand, and the task goes on with that result", async () => {
      play({
        left: () => {
          throw new PermanentError("no")
        },
        right: () => "r",
        join: ({ results }) => ({ ...(results as Record<string, unknown>) }),
      })
      const run = await runTask(tasker, pair, null)
      expect(run.state).toBe("error")
      await tasker.resolveStep(run.taskId, "left", {
        result: { found: "by hand" },
        by: "ann",
        reason: "the bank confirmed it",
      })
      const { results } = await tasker.waitForTask(run.taskId, { timeoutMs: 10_000 })
      expect(results).toMatchObject({ join: { left: { found: "by hand" }, right: "r" } })
    })

    it("a failed task is retried once its cause is mended", async () => {
      play({
        only: () => {
          throw new Error("down")
        },
      })
      const run = await runTask(tasker, single, null)
      play({ only: ({ attempt }) => attempt })
      await tasker.retryTask(run.taskId, { by: "ann" })
      expect(await tasker.waitForTask(run.taskId, { timeoutMs: 10_000 })).toMatchObject({ results: { only: 4 } })
    })

    it("a paused task goes on when it is resumed", async () => {
      const gate = createGate()
      play({ left: async () => await gate.pass(), right: () => 1, join: () => 2 })
      const task = await tasker.createTask(pair, null)
      await gate.reached()
      await tasker.pauseTask(task)
      gate.open()
      await untilStep(tasker, task, "left", "complete")
      await untilStep(tasker, task, "right", "complete")
      expect(await tasker.getSteps(task)).toMatchObject([{}, {}, { state: "pending", blockedBy: "task_paused" }])
      await tasker.resumeTask(task)
      expect(await untilEnd(tasker, task)).toMatchObject({ state: "complete" })
    })

    it.each([
      ["plain", single, "only", "running"],
      ["transactional", transactional, "write", "tight"],
    ] as const)(
      "a queue with a limit of one runs %s steps one by one, without waiting for a poll",
      async (_what, workflow: AnyWorkflow, step, queue) => {
        await tasker.limitQueue(queue, 1)
        // The only other way to go on would be the next poll, long after the test has given up.
        const lazy = await createTestTasker({ url: await newUrl(), workflows, worker: { pollMs: 600_000 } })
        await lazy.limitQueue(queue, 1)
        let running = 0
        let most = 0
        play({
          [step]: async () => {
            running += 1
            most = Math.max(most, running)
            await new Promise(setImmediate)
            running -= 1
          },
        })
        const tasks = await lazy.createTasks(
          workflow,
          Array.from({ length: 8 }, () => ({ input: null })),
        )
        for (const task of tasks) expect(await untilEnd(lazy, task)).toMatchObject({ state: "complete" })
        expect(most).toBe(1)
        await lazy.close()
        await tasker.limitQueue(queue, null)
      },
    )
  })

  describe("workers", () => {
    it("two workers share one task, and no step runs on both", async () => {
      const meeting = createGate()
      play({ left: async () => await meeting.pass(), right: async () => await meeting.pass(), join: () => 1 })
      const url = await newUrl()
      const shy = await createTestTasker({ url, workflows, worker: { concurrency: 1 } })
      const second = await shy.startWorker({ concurrency: 1, pollMs: 50 })
      const task = await shy.createTask(pair, null)
      await meeting.reached(2)
      expect(second.runningCount).toBe(1)
      meeting.open()
      expect(await untilEnd(shy, task)).toMatchObject({ state: "complete", attempts: { left: 1, right: 1, join: 1 } })
      const history = await shy.getHistory(task)
      expectOneAtATime(history)
      const ran = (name: string) => history.find(({ step, to }) => step === name && to === "in_progress")?.workerId
      expect(ran("left")).not.toBe(ran("right"))
      await shy.close()
    })

    it("a worker that is stopped hands back what it runs, and another finishes it", async () => {
      const gate = createGate()
      const url = await newUrl()
      const one = await createTestTasker({ url, workflows, worker: false })
      const worker = await one.startWorker({ pollMs: 50 })
      play({ only: async ({ attempt, signal }) => (attempt === 1 ? await gate.pass(signal) : "by another") })
      const task = await one.createTask(single, null)
      await gate.reached()
      await worker.stop({ timeoutMs: 0 })
      await worker.stop()
      expect(await one.getSteps(task)).toMatchObject([{ state: "waiting_for_retry", attempts: 1, maxAttempts: 4 }])
      await one.startWorker({ pollMs: 50 })
      expect(await one.waitForTask(task, { timeoutMs: 10_000 })).toMatchObject({ results: { only: "by another" } })
      await one.close()
    })

    it("a worker that is stopped waits for what runs, and claims no more", async () => {
      const gate = createGate()
      const url = await newUrl()
      const one = await createTestTasker({ url, workflows, worker: false })
      const worker = await one.startWorker({ concurrency: 1, lanes: 1, pollMs: 50 })
      play({ only: async () => (await gate.pass(), "in peace") })
      const [first, second] = [await one.createTask(single, null), await one.createTask(single, null)]
      await gate.reached()
      const stopped = worker.stop()
      gate.open()
      await stopped
      const states = [await one.getTask(first), await one.getTask(second)].map(({ state }) => state)
      expect(states.toSorted()).toEqual(["complete", "pending"])
      await one.close()
      await expect(one.waitForTask(second)).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    })

    it("a transactional step's writes are there if and only if its result is", async () => {
      let note = 0
      play({
        write: async ({ tx, attempt }) => {
          note += 1
          await tx?.query("create table if not exists public.notes (note integer)")
          await tx?.query("insert into public.notes values ($1)", [note])
          if (attempt === 1) throw new Error("after the write")
          const rows = await tx?.query<{ note: number }>("select note from public.notes")
          return rows?.map((row) => row.note)
        },
      })
      const run = await runTask(tasker, transactional, null)
      expect(run).toMatchObject({ state: "complete", attempts: { write: 2 }, results: { write: [2] } })
    })
  })

  describe("versions and input", () => {
    it("a task goes on in the version that it was created with, while newer ones run", async () => {
      const gate = createGate()
      play({ old: async () => (await gate.pass(), "old"), next: () => "next", fresh: () => "fresh" })
      const older = await tasker.createTask(versionOne, null)
      await gate.reached()
      expect(await runTask(tasker, versionTwo, null)).toMatchObject({ state: "complete", results: { fresh: "fresh" } })
      gate.open()
      expect(await untilEnd(tasker, older)).toMatchObject({ state: "complete", results: { old: "old", next: "next" } })
      expect(await tasker.getTask(older)).toMatchObject({ workflow: { name: "upgraded", version: "1.0.0" } })
    })

    it("another definition under a version that is known is refused, unless no task of it is live", async () => {
      const url = await newUrl()
      if (url.startsWith("pglite")) return
      const before = defineWorkflow({ name: "changing", version: "1.0.0" }).step("a", { handler: () => 1 })
      const after = defineWorkflow({ name: "changing", version: "1.0.0" }).step("b", { handler: () => 2 })
      const first = await createTestTasker({ url, workflows: [before], worker: false })
      const task = await first.createTask(before, null)
      await expect(createTestTasker({ url, workflows: [after] })).rejects.toMatchObject({
        code: "TASKER_WORKFLOW_CHANGED",
      })
      await expect(createTestTasker({ url, workflows: [after], replaceWorkflows: true })).rejects.toMatchObject({
        code: "TASKER_WORKFLOW_IN_USE",
      })
      await first.cancelTask(task)
      const second = await createTestTasker({ url, workflows: [after], replaceWorkflows: true })
      expect(await runTask(second, after, null)).toMatchObject({ results: { b: 2 } })
      expect(await second.getSteps(task)).toMatchObject([{ name: "a", state: "cancelled" }])
      await Promise.all([first.close(), second.close()])
    })

    it("what the schema does not require may be left out, and its defaults are stored", async () => {
      const run = await runTask(tasker, withDefaults, { a: 1 })
      expect(run.results.only).toEqual({ a: 1, b: "x" })
      expect((await tasker.getTask(run.taskId)).input).toEqual({ a: 1, b: "x" })
    })

    it.each([null, 0, "", false, []])("%j is an input", async (input) => {
      play({ only: ({ input: given }) => ({ given }) })
      expect(await runTask(tasker, single, input)).toMatchObject({
        state: "complete",
        results: { only: { given: input } },
      })
    })
  })
})

/** Waits until something that a handler does has been done. */
async function untilReached(isReached: () => boolean): Promise<void> {
  while (!isReached()) await new Promise((resolve) => setTimeout(resolve, 2))
}
