import { PGlite } from "@electric-sql/pglite"
import pg from "pg"
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest"
import type { Database } from "../core/database.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import type { CallerTransaction } from "./caller-transaction.ts"
import type { TaskHandle } from "./task-reference.ts"
import { createTestBench, diamond, errorJson, single, type TestBench } from "./test-bench.ts"

describe.each(testDatabases(migrate))("on $kind", ({ kind, open }) => {
  let database: Database
  let url: string
  let bench: TestBench
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    ;({ database, url } = opened)
    close = () => opened.close()
    bench = await createTestBench(database, [diamond, single])
  })

  afterAll(() => close())

  async function countTasks(): Promise<number> {
    return (await bench.client.countTasks()).total
  }

  describe("createTask", () => {
    test("stores the input with the defaults of its schema, and all that was said about the task", async () => {
      const runAt = new Date(Date.now() + 3_600_000)
      const handle = await bench.client.createTask(
        single,
        { a: 1 },
        {
          tags: ["eu", "gift", "eu"],
          attributes: { cart: { id: 7 }, __proto__: null },
          priority: 1,
          runAt,
          reason: "bought",
          initiator: "alice",
          sourceSystem: "shop",
          correlationId: "c-1",
        },
      )
      expect(handle).toEqual({
        taskId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        created: true,
        workflow: { namespace: "shop", name: "single", version: "1.0.0" },
      })
      expect(await bench.client.getTask(handle)).toEqual({
        taskId: handle.taskId,
        workflow: handle.workflow,
        state: "pending",
        priority: 1,
        pausedAt: null,
        stepCount: 1,
        openStepCount: 1,
        input: { a: 1, b: "x" },
        tags: ["eu", "gift"],
        attributes: { cart: { id: 7 } },
        correlationId: "c-1",
        initiator: "alice",
        sourceSystem: "shop",
        reason: "bought",
        createdAt: expect.any(Date),
        startedAt: null,
        finishedAt: null,
      })
      expect(await bench.client.getSteps(handle)).toMatchObject([
        { name: "only", runAt, blockedBy: "delayed", priority: 1 },
      ])
      expect(await bench.client.getHistory(handle)).toMatchObject([
        { step: null, from: null, to: "pending", by: "alice", reason: "bought" },
      ])
      expect(bench.announced).toEqual(["ready"])
    })

    test("refuses bad input and bad options before anything is stored, with a path or a hint", async () => {
      const before = await countTasks()
      const { client } = bench
      // Options are what a user without a compiler may pass.
      const loose = (workflow: AnyWorkflow, input: unknown, options?: unknown) =>
        client.createTask(workflow, input, options as object)
      await expect(loose(single, { a: "1" })).rejects.toMatchObject({
        code: "TASKER_INPUT_INVALID",
        details: { problems: [{ path: "a" }] },
      })
      await expect(loose(diamond, { n: 1n })).rejects.toMatchObject({ code: "TASKER_INPUT_INVALID" })
      await expect(loose(diamond, "\u0000")).rejects.toMatchObject({ code: "TASKER_INPUT_INVALID" })
      await expect(loose(diamond, "x".repeat(10_000))).rejects.toMatchObject({
        code: "TASKER_INPUT_INVALID",
        details: { maxBytes: 10_000 },
      })
      await expect(loose(single, { a: 1 }, { prioritty: 1 })).rejects.toMatchObject({
        code: "TASKER_OPTION_INVALID",
        message: expect.stringContaining('did you mean "priority"?'),
      })
      for (const options of [
        { priority: 5 },
        { runAt: "2026-01-01" },
        { runAt: new Date(Number.NaN) },
        { tags: "eu" },
        { tags: [""] },
        { attributes: [] },
        { attributes: { a: 1n } },
        { attributes: { a: "x".repeat(70_000) } },
        { initiator: "a\u0000" },
        { identity: { strategy: "key" } },
        { identity: { strategy: "key", key: "" } },
        { identity: { strategy: "hash", key: "k" } },
        { identity: { strategy: "other" } },
        { transaction: {} },
        null,
      ]) {
        await expect(loose(single, { a: 1 }, options)).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
      }
      expect(await countTasks()).toBe(before)
    })

    test("bypasses skippable steps, and refuses others by name", async () => {
      const { taskId } = await bench.client.createTask(diamond, { n: 1 }, { bypass: ["right"] })
      expect(await bench.client.getSteps(taskId)).toMatchObject([{}, {}, { name: "right", state: "skipped" }, {}])
      await expect(bench.client.createTask(diamond, { n: 1 }, { bypass: ["left"] })).rejects.toMatchObject({
        code: "TASKER_STEP_NOT_SKIPPABLE",
      })
      // @ts-expect-error -- the compiler knows the names of the steps
      await expect(bench.client.createTask(diamond, { n: 1 }, { bypass: ["rigth"] })).rejects.toMatchObject({
        code: "TASKER_STEP_NOT_FOUND",
        hint: 'did you mean "right"?',
      })
    })

    test("has the types of the workflow", async () => {
      expectTypeOf(bench.client.createTask(diamond, { n: 1 })).resolves.toExtend<
        TaskHandle<{ readonly start: { at: number }; readonly left: string; readonly right: string | undefined }>
      >()
      // @ts-expect-error -- `a` is a number
      await expect(bench.client.createTask(single, { a: "1" })).rejects.toMatchObject({ code: "TASKER_INPUT_INVALID" })
    })
  })

  describe("identity", () => {
    test("a key stands for one task within its scope", async () => {
      const create = (workflow: typeof single | typeof diamond, scope: "workflow" | "namespace" | "global") =>
        workflow === single
          ? bench.client.createTask(single, { a: 1 }, { identity: { strategy: "key", key: "k", scope } })
          : bench.client.createTask(diamond, { n: 1 }, { identity: { strategy: "key", key: "k", scope } })
      const first = await create(single, "workflow")
      expect(await create(single, "workflow")).toEqual({ ...first, created: false })
      expect(await create(diamond, "workflow")).toMatchObject({ created: true })
      const shared = await create(single, "namespace")
      expect(shared.created).toBe(true)
      expect(await create(diamond, "namespace")).toEqual({
        taskId: shared.taskId,
        created: false,
        workflow: { namespace: "shop", name: "single", version: "1.0.0" },
      })
      expect(await create(diamond, "global")).toMatchObject({ created: true })
    })

    test("a hash stands for the same input, in whatever order its keys come, with the defaults filled in", async () => {
      const identity = { strategy: "hash" } as const
      const first = await bench.client.createTask(single, { a: 10 }, { identity })
      // The type of a creator's input leaves out what has a default; it may be given.
      const spelledOut: { readonly a: number } = { b: "x", a: 10 } as { readonly a: number }
      expect(await bench.client.createTask(single, spelledOut, { identity })).toMatchObject({
        taskId: first.taskId,
        created: false,
      })
      expect(await bench.client.createTask(single, { a: 11 }, { identity })).toMatchObject({ created: true })
    })

    test("a task that failed is returned, or gives way to a new one when asked to", async () => {
      const identity = { strategy: "key", key: "fails" } as const
      const first = await bench.client.createTask(single, { a: 1 }, { identity })
      await bench.drain((step) => (step.taskId === first.taskId ? { kind: "error", json: errorJson("no") } : {}))
      expect(await bench.client.createTask(single, { a: 1 }, { identity })).toMatchObject({ taskId: first.taskId })
      const again = await bench.client.createTask(single, { a: 1 }, { identity: { ...identity, onFailed: "create" } })
      expect(again.created).toBe(true)
      expect(again.taskId).not.toBe(first.taskId)
      expect(await bench.client.createTask(single, { a: 1 }, { identity })).toMatchObject({ taskId: again.taskId })
    })

    test("the same key twice in one call is one task", async () => {
      const request = { input: { a: 1 }, identity: { strategy: "key", key: "twice" } } as const
      const [one, other] = await bench.client.createTasks(single, [request, request])
      expect([one?.created, other?.created]).toEqual([true, false])
      expect(other?.taskId).toBe(one?.taskId)
    })
  })

  describe("createTasks", () => {
    test("creates as many as are asked for, in order, and none for none", async () => {
      const created = await bench.client.createTasks(
        single,
        Array.from({ length: 50 }, (_, a) => ({ input: { a }, tags: [`n${a}`] })),
      )
      expect(created).toHaveLength(50)
      expect(await bench.client.getTask(created[49]?.taskId ?? "")).toMatchObject({ input: { a: 49 }, tags: ["n49"] })
      expect(await bench.client.createTasks(single, [])).toEqual([])
    })

    test("creates none when one is refused, and says which", async () => {
      const before = await countTasks()
      // A number is what a user without a compiler may pass.
      const wrong = { a: "no" } as unknown as { a: number }
      await expect(bench.client.createTasks(single, [{ input: { a: 1 } }, { input: wrong }])).rejects.toMatchObject({
        code: "TASKER_INPUT_INVALID",
        message: expect.stringMatching(/^requests\[1\]: /),
        details: { index: 1 },
      })
      expect(await countTasks()).toBe(before)
    })
  })

  describe("inside the caller's own transaction", () => {
    const withTransaction = async (work: (tx: CallerTransaction) => Promise<void>, end: "commit" | "rollback") => {
      const client = new pg.Client({ connectionString: url })
      await client.connect()
      try {
        await client.query("begin")
        await work(client)
        await client.query(end)
      } finally {
        await client.end()
      }
    }

    test.skipIf(kind === "pglite")("a task exists if and only if the transaction commits", async () => {
      const ids: string[] = []
      for (const end of ["rollback", "commit"] as const) {
        await withTransaction(async (transaction) => {
          const { taskId } = await bench.client.createTask(diamond, { n: 1 }, { transaction })
          const again = await bench.client.createTasks(single, [{ input: { a: 1 } }], { transaction })
          ids.push(taskId, again[0]?.taskId ?? "")
          await expect(bench.client.getTask(taskId)).rejects.toMatchObject({ code: "TASKER_TASK_NOT_FOUND" })
        }, end)
      }
      const found = await bench.client.getExecutionContexts(ids)
      expect(found.map(({ taskId }) => taskId)).toEqual(ids.slice(2))
    })

    test.skipIf(kind === "pglite")("others are told when it commits, and nobody before", async () => {
      const heard: string[] = []
      const stop = await database.listen(
        "tasker",
        (payload) => heard.push(payload),
        () => {},
      )
      bench.announced.length = 0
      await withTransaction(async (transaction) => {
        await bench.client.createTask(diamond, { n: 1 }, { transaction })
        await database.query({ text: "select 1" })
        expect(heard).toEqual([])
      }, "commit")
      await expect.poll(() => heard).toEqual(["ready"])
      expect(bench.announced).toEqual([])
      await stop()
    })
  })
})

test("a transaction of PGlite itself serves as well", async () => {
  const [kind] = testDatabases(migrate)
  const opened = await kind!.open()
  const bench = await createTestBench(opened.database, [single])
  // The same interface as the user's own PGlite has, over the same database.
  const own = new PGlite()
  expectTypeOf<Parameters<Parameters<typeof own.transaction>[0]>[0]>().toExtend<CallerTransaction>()
  await own.close()
  await opened.database.transaction(async (tx) => {
    const transaction: CallerTransaction = {
      query: async (text, values = []) => ({ rows: [...(await tx.query({ text, values }))] }),
    }
    expect(await bench.client.createTask(single, { a: 1 }, { transaction })).toMatchObject({ created: true })
  })
  await opened.close()
})
