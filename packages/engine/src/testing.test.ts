import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { defineWorkflow } from "./core/define-workflow.ts"
import { PermanentError } from "./core/error.ts"
import type { Tasker } from "./tasker.ts"
import { createGate, createTestTasker, runTask, untilStep } from "./testing.ts"

const gate = createGate()
const greet = defineWorkflow<{ readonly name: string }>({ name: "greet", version: "1.0.0" })
  .step("compose", { handler: ({ input }) => `Hello ${input.name}` })
  .step("send", {
    dependsOn: ["compose"],
    handler: ({ results }) => {
      if (results.compose === "Hello nobody") throw new PermanentError("there is nobody", { code: "NOBODY" })
      return results.compose.length
    },
  })
const held = defineWorkflow({ name: "held", version: "1.0.0" }).step("wait", {
  handler: async ({ signal }) => {
    await gate.pass(signal)
    return "passed"
  },
})

describe("@tasker/engine/testing", () => {
  let tasker: Tasker

  beforeAll(async () => {
    tasker = await createTestTasker({ workflows: [greet, held] })
  })
  afterAll(async () => await tasker.close())

  it("runs a task to its end, and says what each step returned", async () => {
    const run = await runTask(tasker, greet, { name: "Ann" })
    expect(run).toMatchObject({ state: "complete", error: undefined, results: { compose: "Hello Ann", send: 9 } })
    expect(run.attempts).toEqual({ compose: 1, send: 1 })
  })

  it("says how a task failed instead of throwing", async () => {
    const run = await runTask(tasker, greet, { name: "nobody" })
    expect(run).toMatchObject({ state: "error", error: { code: "NOBODY", message: "there is nobody" } })
    expect(run.results).toMatchObject({ compose: "Hello nobody", send: undefined })
  })

  it("gives up after the time that it was given", async () => {
    const run = runTask(tasker, held, null, { timeoutMs: 20 })
    await expect(run).rejects.toMatchObject({ code: "TASKER_WAIT_TIMEOUT" })
  })

  it("a gate holds handlers until it is opened, or until they are aborted", async () => {
    const task = await tasker.createTask(held, null)
    const cancelled = await tasker.createTask(held, null)
    await gate.reached(3)
    await untilStep(tasker, task, "wait", "in_progress")
    await tasker.cancelTask(cancelled)
    gate.open()
    expect(await tasker.waitForTask(task)).toMatchObject({ results: { wait: "passed" } })
    await gate.reached(3)
    await gate.pass()
  })

  it("a gate that was opened lets everybody pass, unless aborted before", async () => {
    const open = createGate()
    open.open()
    await open.pass(new AbortController().signal)
    await expect(open.pass(AbortSignal.abort(new Error("over")))).rejects.toThrow("over")
  })

  it("waiting for a step that is not there is refused", async () => {
    const { taskId } = await runTask(tasker, greet, { name: "Ann" })
    await expect(untilStep(tasker, taskId, "nobody", "complete")).rejects.toMatchObject({
      code: "TASKER_STEP_NOT_FOUND",
    })
  })
})
