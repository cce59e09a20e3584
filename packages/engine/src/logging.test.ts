import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest"
import { defineWorkflow } from "./core/define-workflow.ts"
import { PermanentError } from "./core/error.ts"
import type { LogFields, Logger, LogLevel } from "./core/logger.ts"
import { testDatabases } from "./database/test-database.ts"
import { migrate } from "./store/migrate.ts"
import { noteEnds } from "./events/test-ends.ts"
import { createTasker, type Tasker } from "./tasker.ts"
import { createGate, runTask, untilEnd } from "./testing.ts"

interface Line extends LogFields {
  readonly level: LogLevel
  readonly message: string
}

function listingLogger(least: LogLevel = "debug") {
  const lines: Line[] = []
  const levels = ["debug", "info", "warn", "error"] as const
  const at = (level: LogLevel) => (fields: LogFields, message: string) => void lines.push({ ...fields, level, message })
  const isLevelEnabled = (level: LogLevel) => levels.indexOf(level) >= levels.indexOf(least)
  const logger: Logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), isLevelEnabled }
  return { lines, logger }
}

const RETRY_SOON = { maxAttempts: 2, backoff: { baseMs: 1, capMs: 1 } } as const
let isFixed = false
const order = defineWorkflow<{ id: number }>({ namespace: "shop", name: "order", version: "1.0.0" })
  .step("check", { handler: ({ log }) => log.info({ seen: true, taskId: "another" }, "checked") })
  .step("charge", {
    ...RETRY_SOON,
    dependsOn: ["check"],
    handler: ({ attempt }) => {
      if (attempt === 1) throw Object.assign(new Error("try again"), { code: "BUSY" })
    },
  })
  .step("send", {
    dependsOn: ["charge"],
    handler: () => {
      if (!isFixed) throw new PermanentError("no address")
    },
  })

describe.each(testDatabases(migrate))("what is logged on $kind", ({ open }) => {
  const gate = createGate()
  const slow = defineWorkflow({ namespace: "shop", name: "slow", version: "1.0.0" })
    .step("wait", { handler: ({ signal }) => gate.pass(signal) })
    .step("never", { maxAttempts: 1, timeoutMs: 20, handler: () => new Promise(() => {}) })
  let opened: Awaited<ReturnType<typeof open>>
  let tasker: Tasker

  beforeAll(async () => {
    opened = await open()
  })
  afterEach(async () => await tasker.close({ timeoutMs: 100 }))
  afterAll(async () => await opened.close())

  async function start(least?: LogLevel) {
    const { lines, logger } = listingLogger(least)
    tasker = await createTasker({ url: opened.url, workflows: [order, slow], logger })
    const ended = noteEnds(tasker)
    // What two lanes did is told in the order of their answers, which need not be that of what happened.
    await tasker.startWorker({ pollMs: 50, lanes: 1 })
    /** The lines about a task, of one connection after the other: what both did is told in the order of their answers. */
    const story = (taskId: string) => {
      const ofTask = lines.filter((line) => line["taskId"] === taskId)
      const ofWorker = ofTask.filter((line) => "workerId" in line || line["component"] === "handler")
      const text = ({ level, message, step }: (typeof lines)[number]) =>
        `${level} ${message} ${typeof step === "string" ? step : ""}`.trim()
      return { client: ofTask.filter((line) => !ofWorker.includes(line)).map(text), worker: ofWorker.map(text) }
    }
    return { lines, story, ended }
  }

  test("at debug, each step of a task; on every line, its correlation id and the workflow", async () => {
    isFixed = false
    const { lines, story, ended } = await start()
    const { taskId } = await ended(runTask(tasker, order, { id: 1 }, { correlationId: "req-7" }))
    expect(story(taskId).client).toEqual(["debug the task was created"])
    expect(story(taskId).worker).toEqual([
      "debug the task began",
      "debug the step was claimed check",
      "info checked check",
      "debug the step is complete check",
      "debug the step was claimed charge",
      "info the attempt failed, and another follows charge",
      "debug the step was claimed charge",
      "debug the step is complete charge",
      "debug the step was claimed send",
      "info the step failed for good send",
      "info the task failed",
    ])
    for (const line of lines.filter((each) => JSON.stringify(each).includes(taskId))) {
      expect(line).toMatchObject({ correlationId: "req-7", namespace: "shop", workflow: "order", version: "1.0.0" })
    }
    const attempt = { step: "charge", attempt: 1, workerId: expect.any(Number), durationMs: expect.any(Number) }
    const error = { name: "Error", code: "BUSY", message: "try again" }
    expect(lines.find(({ event }) => event === "observability.step.backoff")).toMatchObject({
      ...attempt,
      error,
      component: "step",
      delayMs: expect.any(Number),
    })
    expect(lines.find(({ message }) => message === "checked")).toMatchObject({
      component: "handler",
      step: "check",
      attempt: 1,
      seen: true,
      taskId,
    })
  })

  test("at info, what fails, and what operators do, with who and why", async () => {
    isFixed = false
    const { lines, story, ended } = await start("info")
    const failed = await ended(runTask(tasker, order, { id: 2 }))
    isFixed = true
    await tasker.retryStep(failed.taskId, "send", { by: "ann", reason: "the address is there" })
    await ended(tasker.waitForTask(failed.taskId).then(() => failed))
    expect(story(failed.taskId)).toEqual({
      client: ["info the failed step was given more attempts send", "info the failed task goes on"],
      worker: [
        "info checked check",
        "info the attempt failed, and another follows charge",
        "info the step failed for good send",
        "info the task failed",
      ],
    })
    // Nobody gave it a correlation id, so its own id is one.
    for (const line of lines.filter(({ taskId }) => taskId === failed.taskId))
      expect(line["correlationId"]).toBe(failed.taskId)
    expect(lines.find(({ event }) => event === "step.retry_requested")).toMatchObject({
      by: "ann",
      reason: "the address is there",
    })
    expect(lines.find(({ event }) => event === "task.failed")?.["durationMs"]).toBeGreaterThan(0)
  })

  test("a task that times out, is paused, resumed and cancelled", async () => {
    const { story, ended } = await start("info")
    const task = await tasker.createTask(slow, null, { correlationId: "req-8" })
    await gate.reached()
    // Told once the worker has the answer of its call: what is refused or late from here on would be told too.
    await expect.poll(() => story(task.taskId).worker).toEqual(["info the step failed for good never"])
    await tasker.pauseTask(task, { by: "bob" })
    await tasker.resumeTask(task)
    await tasker.cancelTask(task)
    await ended(untilEnd(tasker, task))
    expect(story(task.taskId)).toEqual({
      client: ["info the task was paused", "info the task was resumed", "info the task was cancelled"],
      worker: ["info the step failed for good never"],
    })
  })

  test("requests that were refused, or met a task that stands", async () => {
    const { lines } = await start("info")
    const identity = { strategy: "key", key: "one" } as const
    const task = await tasker.createTask(slow, null, { identity, correlationId: "req-1" })
    await tasker.createTask(slow, null, { identity, correlationId: "req-2" })
    // A JavaScript user can pass anything.
    const tags = "web" as unknown as string[]
    await expect(tasker.createTask(slow, null, { tags, correlationId: "req-3" })).rejects.toMatchObject({
      code: "TASKER_OPTION_INVALID",
    })
    expect(lines.find(({ event }) => event === "task.deduplicated")).toMatchObject({
      taskId: task.taskId,
      correlationId: "req-2",
    })
    expect(lines.find(({ event }) => event === "task.refused")).toMatchObject({
      workflow: "slow",
      correlationId: "req-3",
      error: { code: "TASKER_OPTION_INVALID" },
    })
  })

  test("at warn, nothing as long as all goes its way, failures of handlers included", async () => {
    const { lines, ended } = await start("warn")
    isFixed = false
    await ended(runTask(tasker, order, { id: 3 }))
    expect(lines).toEqual([])
  })
})
