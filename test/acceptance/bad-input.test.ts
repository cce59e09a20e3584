import {
  createTasker,
  defineTemplate,
  defineWorkflow,
  isTaskerError,
  silentLogger,
  type Tasker,
  type TaskerError,
} from "@tasker/engine"
import { createTestTasker, runTask } from "@tasker/engine/testing"
import pg from "pg"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { databaseKinds } from "./databases.ts"

const NOBODY = "00000000-0000-7000-8000-000000000000"

const anything = defineWorkflow<unknown>({ namespace: "bad_input", name: "anything", version: "1.0.0" }).step("only", {
  handler: () => 1,
})
const strict = defineWorkflow<{ readonly amount: number }>({
  namespace: "bad_input",
  name: "strict",
  version: "1.0.0",
  input: {
    type: "object",
    properties: { amount: { type: "number" }, lines: { type: "array", items: { type: "string" } } },
    required: ["amount"],
    additionalProperties: false,
  },
}).step("only", { handler: () => 1 })
const stranger = defineWorkflow<unknown>({ namespace: "bad_input", name: "anything", version: "9.9.9" }).step("only", {
  handler: () => 1,
})

function deep(levels: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < levels; level++) value = [value]
  return value
}

function circular(): unknown {
  const circle: Record<string, unknown> = {}
  circle["self"] = { circle }
  return circle
}

async function errorOf(work: Promise<unknown>): Promise<TaskerError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isTaskerError(error)) throw new Error("expected a TaskerError", { cause: error })
  return error
}

describe.each(await databaseKinds())("bad input on $kind", ({ kind, newUrl }) => {
  let tasker: Tasker
  let url: string

  beforeAll(async () => {
    url = await newUrl()
    tasker = await createTestTasker({ url, workflows: [anything, strict], limits: { inputBytes: 1_000 } })
  })
  afterAll(async () => {
    // Refused before anything is stored.
    expect(await tasker.countTasks({ workflow: "strict" })).toMatchObject({ total: 0 })
    expect(await tasker.verify()).toEqual([])
    await tasker.close()
  })

  it.each([
    ["nothing", undefined],
    ["a BigInt", { amount: 1n }],
    ["a function", { amount: () => 1 }],
    ["not a number", { amount: Number.NaN }],
    ["infinity", [Number.POSITIVE_INFINITY]],
    ["a circle", circular()],
    ["more than 100 levels", deep(101)],
    ["the NUL character", { note: "a\u0000" }],
    ["the NUL character in a key", { "a\u0000": 1 }],
    ["more bytes than allowed", "x".repeat(1_001)],
  ])("an input of %s is refused", async (_what, input) => {
    const error = await errorOf(tasker.createTask(anything, input))
    expect(error.code).toBe("TASKER_INPUT_INVALID")
    expect(error.message).not.toBe("")
    const many = await errorOf(tasker.createTasks(anything, [{ input: 1 }, { input }]))
    expect(many).toMatchObject({ code: "TASKER_INPUT_INVALID", details: { index: 1 } })
  })

  it("an input of exactly 100 levels, or of as many bytes as allowed, is taken", async () => {
    expect(await runTask(tasker, anything, deep(100))).toMatchObject({ state: "complete" })
    expect(await runTask(tasker, anything, "x".repeat(998))).toMatchObject({ state: "complete" })
  })

  it("an input that does not match the schema is refused, with the path of every problem", async () => {
    // What a caller without types may send.
    const error = await errorOf(tasker.createTask(strict, { lines: ["a", 2], extra: true } as never))
    expect(error.code).toBe("TASKER_INPUT_INVALID")
    const text = JSON.stringify(error.details["problems"])
    for (const path of ["amount", "lines", "extra"]) expect(text).toContain(path)
  })

  it.each([
    ["an unknown option", { worklfow: 1 }],
    ["a priority out of range", { priority: 5 }],
    ["a time that is none", { runAt: new Date(Number.NaN) }],
    ["an empty identity key", { identity: { strategy: "key", key: "" } }],
    ["a strategy that is none", { identity: { strategy: "sometimes" } }],
    ["the NUL character in a tag", { tags: ["a\u0000"] }],
    ["attributes that are no object", { attributes: [1] }],
    ["a transaction that is none", { transaction: {} }],
  ])("%s of a task is refused", async (_what, options) => {
    expect((await errorOf(tasker.createTask(anything, 1, options as never))).code).toBe("TASKER_OPTION_INVALID")
  })

  it("a workflow or version that was not registered is refused", async () => {
    const error = await errorOf(tasker.createTask(stranger, 1))
    expect(error).toMatchObject({ code: "TASKER_WORKFLOW_NOT_FOUND", details: { version: "9.9.9" } })
  })

  it("a task that does not exist is refused by everything that asks about it", async () => {
    const calls = [
      "getTask",
      "getSteps",
      "getHistory",
      "getExecutionContext",
      "cancelTask",
      "pauseTask",
      "retryTask",
      "waitForTask",
    ] as const
    for (const call of calls) expect((await errorOf(tasker[call](NOBODY))).code, call).toBe("TASKER_TASK_NOT_FOUND")
    expect((await errorOf(tasker.getTask("no-uuid"))).code).toBe("TASKER_OPTION_INVALID")
  })

  it("what the state of a task forbids is refused, and a step that is not there is named", async () => {
    const { taskId } = await runTask(tasker, anything, 1)
    expect((await errorOf(tasker.cancelTask(taskId))).code).toBe("TASKER_TRANSITION_INVALID")
    expect((await errorOf(tasker.retryStep(taskId, "only"))).code).toBe("TASKER_TRANSITION_INVALID")
    expect((await errorOf(tasker.skipStep(taskId, "only"))).code).toBe("TASKER_STEP_NOT_SKIPPABLE")
    expect(await errorOf(tasker.skipStep(taskId, "onyl"))).toMatchObject({
      code: "TASKER_STEP_NOT_FOUND",
      hint: 'did you mean "only"?',
    })
  })

  it("a result given by hand that is no JSON is refused", async () => {
    const { taskId } = await tasker.createTask(anything, 1, { runAt: new Date(Date.now() + 3_600_000) })
    expect((await errorOf(tasker.resolveStep(taskId, "only", { result: 1n as never }))).code).toBe(
      "TASKER_RESULT_INVALID",
    )
    await tasker.cancelTask(taskId)
  })

  it.skipIf(kind === "pglite")("a database that takes no writes is named so", async () => {
    const readOnly = new URL(url)
    readOnly.searchParams.set("options", "-c default_transaction_read_only=on")
    const options = { url: readOnly.href, workflows: [anything], logger: silentLogger }
    expect((await errorOf(createReadOnly())).code).toBe("TASKER_DATABASE_READ_ONLY")

    async function createReadOnly(): Promise<unknown> {
      // The schema is there, so that only the task is to be written.
      const other = await createTasker(options)
      return await other.createTask(anything, 1).finally(async () => await other.close())
    }
  })

  it.skipIf(kind === "pglite")(
    "a connection that is lost fails the call that used it, and the next one works",
    async () => {
      const lonely = await createTestTasker({
        url,
        workflows: [anything],
        worker: false,
        limits: { inputBytes: 1_000 },
      })
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      const blocker = await client.query<{ pid: number }>(
        "begin; lock table tasker.tasks; select pg_backend_pid() as pid",
      )
      expect(blocker).toBeDefined()
      const lost = errorOf(lonely.createTask(anything, 1))
      await terminateBlocked(url)
      await client.query("rollback")
      await client.end()
      expect((await lost).code).toBe("TASKER_DATABASE_UNAVAILABLE")
      expect(await lonely.createTask(anything, 1)).toMatchObject({ created: true })
      await lonely.close()
    },
  )
})

describe("bad definitions", () => {
  const template = (steps: readonly object[]) => () =>
    // What a caller without types may write.
    (
      defineTemplate({ name: "t", version: "1.0.0", steps } as never) as unknown as {
        implement(handlers: object): { definition: unknown }
      }
    ).implement({
      a: () => 1,
      b: () => 2,
    }).definition

  it.each([
    [
      "a cycle",
      template([
        { name: "a", dependsOn: ["b"] },
        { name: "b", dependsOn: ["a"] },
      ]),
    ],
    ["an unknown dependency", template([{ name: "a", dependsOn: ["c"] }, { name: "b" }])],
    ["a step twice", template([{ name: "a" }, { name: "a" }])],
    [
      "no attempts at all",
      () => defineWorkflow({ name: "w", version: "1.0.0" }).step("a", { maxAttempts: 0, handler: () => 1 }).definition,
    ],
    [
      "a name that is reserved",
      () => defineWorkflow({ name: "w", version: "1.0.0" }).step("__proto__", { handler: () => 1 }).definition,
    ],
    ["a version that is none", () => defineWorkflow({ name: "w", version: "one" }).definition],
    [
      "a step without a handler",
      () => defineWorkflow({ name: "w", version: "1.0.0" }).step("a", {} as never).definition,
    ],
  ])("%s is refused with every problem listed", (_what, define) => {
    let thrown: unknown
    try {
      define()
    } catch (error) {
      thrown = error
    }
    expect(isTaskerError(thrown)).toBe(true)
    expect(["TASKER_WORKFLOW_INVALID", "TASKER_HANDLER_MISSING"]).toContain((thrown as TaskerError).code)
  })

  it("a database that is not there is named so, without its password", async () => {
    const url = "postgres://someone:s3cret@127.0.0.1:1/nowhere"
    const error = await errorOf(createTasker({ url, logger: silentLogger }))
    expect(error.code).toBe("TASKER_DATABASE_UNAVAILABLE")
    expect(
      `${error.message} ${String(error.hint)} ${JSON.stringify(error.details)} ${String(error.cause)}`,
    ).not.toContain("s3cret")
  })
})

/** Ends the connection that waits for a lock, as an administrator or a network may. */
async function terminateBlocked(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (let ended = 0; ended === 0;) {
      const { rowCount } = await client.query(`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%create_tasks%'`)
      ended = rowCount ?? 0
    }
  } finally {
    await client.end()
  }
}
