import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { createTasks } from "./create-tasks.ts"
import { migrate } from "./migrate.ts"
import { at } from "./test-clock.ts"
import { openTransaction, TestStore, untilBlocked } from "./test-store.ts"
import { completed, failedForGood } from "./test-worker.ts"

describe.each(testDatabases(migrate))("create_tasks on $kind", ({ kind, open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterEach(async () => expect(await store.violations()).toEqual([]))
  afterAll(async () => await opened.close())

  async function countTasks(workflowId: number): Promise<number> {
    const [row] = await opened.database.query<{ count: number }>({
      text: "select count(*) as count from tasker.tasks where workflow_id = $1",
      values: [workflowId],
    })
    return row?.count ?? 0
  }

  it("creates a task with all its steps; only those without parents can be claimed", async () => {
    const workflow = await store.define(
      { one: {}, two: { dependsOn: ["one"] }, three: { dependsOn: ["one", "two"] } },
      { priority: 2 },
    )
    const taskId = await store.createTask(workflow, { input: [1] }, at(5))
    expect(await store.task(taskId)).toMatchObject({
      state: "pending",
      active_steps: 1,
      failed_steps: 0,
      priority: 2,
      finished_at: null,
    })
    expect(
      (await store.steps(taskId)).map(({ name, waiting_on: parents, run_at: runAt }) => [name, parents, runAt]),
    ).toEqual([
      ["one", 0, at(5)],
      ["two", 1, null],
      ["three", 2, null],
    ])
    expect(await store.history(taskId)).toMatchObject([
      { name: null, from_state: null, to_state: "pending", at: at(5) },
    ])
  })

  it("stores who asked for it and why", async () => {
    const workflow = await store.define({ only: {} })
    const said = {
      tags: ["a", "b"],
      attributes: { cart: 1 },
      correlation_id: "c",
      initiator: "ann",
      source_system: "shop",
      reason: "because",
    }
    const taskId = await store.createTask(workflow, { ...said, input: null, priority: 1 })
    expect(await store.task(taskId)).toMatchObject({ ...said, input: null, priority: 1 })
    expect(await store.history(taskId)).toMatchObject([{ actor: "ann", reason: "because" }])
  })

  it("creates any number in one statement, in the order of the requests", async () => {
    const [small, large] = [
      await store.define({ only: {} }),
      await store.define({ one: {}, two: { dependsOn: ["one"] } }),
    ]
    const requests = Array.from({ length: 500 }, (_request, index) => ({
      workflow_id: index % 2 === 0 ? small.workflowId : large.workflowId,
      input: index,
    }))
    const tasks = await store.createTasks(requests)
    expect(new Set(tasks.map(({ taskId }) => taskId)).size).toBe(500)
    const rows = await opened.database.query<{ input: number }>({
      text: `select input from unnest($1::uuid[]) with ordinality as given (task_id, position)
        join tasker.tasks using (task_id) order by position`,
      values: [tasks.map(({ taskId }) => taskId)],
    })
    expect(rows.map(({ input }) => input)).toEqual(requests.map(({ input }) => input))
    expect(await store.createTasks([])).toEqual([])
  })

  it("finds a workflow by its name: the version that is asked for, else the latest by semantic version", async () => {
    const name = "versions"
    const nine = await store.define({ only: {} }, { name, version: "1.9.0" })
    const ten = await store.define({ only: {} }, { name, version: "1.10.0" })
    await store.define({ only: {} }, { name, version: "2.0.0-rc.1" })
    const request = { namespace: "test", workflow: name, input: 1 }
    const [latest, exact] = await store.createTasks([request, { ...request, version: "1.9.0" }])
    expect(await store.task(latest!.taskId)).toMatchObject({ workflow_id: ten.workflowId })
    expect(await store.task(exact!.taskId)).toMatchObject({ workflow_id: nine.workflowId })
  })

  it.each([
    ["a workflow that nobody registered", { workflow: "nobody", input: 1 }, "TASKER_WORKFLOW_NOT_FOUND"],
    ["an unknown id", { workflow_id: 999_999, input: 1 }, "TASKER_WORKFLOW_NOT_FOUND"],
    [
      "a version that nobody registered",
      { namespace: "test", workflow: "known", version: "9.9.9", input: 1 },
      "TASKER_WORKFLOW_NOT_FOUND",
    ],
    ["no workflow", { input: 1 }, "TASKER_WORKFLOW_NOT_FOUND"],
    ["no input", { namespace: "test", workflow: "known" }, "TASKER_OPTION_INVALID"],
    ["what is no object", 5, "TASKER_OPTION_INVALID"],
    [
      "a priority that nobody would look for",
      { namespace: "test", workflow: "known", input: 1, priority: 9 },
      "TASKER_OPTION_INVALID",
    ],
    [
      "an on_failed that there is not",
      { namespace: "test", workflow: "known", input: 1, on_failed: "replace" },
      "TASKER_OPTION_INVALID",
    ],
    [
      "a step to bypass that is not there",
      { namespace: "test", workflow: "known", input: 1, bypass: ["nobody"] },
      "TASKER_OPTION_INVALID",
    ],
    [
      "a step to bypass that is needed",
      { namespace: "test", workflow: "known", input: 1, bypass: ["only"] },
      "TASKER_OPTION_INVALID",
    ],
  ])("refuses %s, and creates none of the tasks", async (_what, request, code) => {
    const workflow = await store.define({ only: {} }, { name: "known", queue: "known" })
    const before = await countTasks(workflow.workflowId)
    await expect(store.createTasks([{ workflow_id: workflow.workflowId, input: 1 }, request])).rejects.toMatchObject({
      code,
    })
    expect(await countTasks(workflow.workflowId)).toBe(before)
  })

  it("refuses what is no array", async () => {
    await expect(store.createTasks({ input: 1 })).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
  })

  it("a task exists if and only if the caller's transaction commits", async () => {
    const workflow = await store.define({ only: {} })
    const request = [{ workflow_id: workflow.workflowId, input: 1 }]
    const undone = opened.database.transaction(async (tx) => {
      await store.createTasks(request, at(0), tx)
      throw new Error("changed my mind")
    })
    await expect(undone).rejects.toThrow("changed my mind")
    expect(await countTasks(workflow.workflowId)).toBe(0)
    await opened.database.transaction(async (tx) => await createTasks(tx, JSON.stringify(request), { notify: true }))
    expect(await countTasks(workflow.workflowId)).toBe(1)
  })

  it.skipIf(kind === "pglite")("no worker sees a task before it is committed", async () => {
    const workflow = await store.define({ only: {} })
    const worker = await store.worker(workflow)
    const held = await openTransaction(opened.database, (tx) =>
      store.createTasks([{ workflow_id: workflow.workflowId, input: 1 }], at(0), tx),
    )
    expect(await worker.claim()).toEqual([])
    await held.commit()
    expect(await worker.claim()).toHaveLength(1)
  })

  it("a workflow without steps is complete from the start", async () => {
    const workflow = await store.define({})
    const taskId = await store.createTask(workflow, {}, at(3))
    expect(await store.task(taskId)).toMatchObject({ state: "complete", active_steps: 0, finished_at: at(3) })
    expect(await store.path(taskId)).toEqual(["pending", "in_progress", "complete"])
  })

  describe("runAt", () => {
    it("delays the first steps, and a time that has passed does not make a task older", async () => {
      const workflow = await store.define({ only: {} })
      const [late, past] = [
        await store.createTask(workflow, { run_at: at(5_000) }, at(100)),
        await store.createTask(workflow, { run_at: at(0) }, at(100)),
      ]
      expect(await store.step(late, "only")).toMatchObject({ run_at: at(5_000) })
      expect(await store.step(past, "only")).toMatchObject({ run_at: at(100) })
    })

    it("holds for the steps behind a bypassed one too", async () => {
      const workflow = await store.define({ optional: { skippable: true }, next: { dependsOn: ["optional"] } })
      const taskId = await store.createTask(workflow, { run_at: at(5_000), bypass: ["optional"] })
      expect(await store.step(taskId, "next")).toMatchObject({ run_at: at(5_000) })
      expect(await (await store.worker(workflow)).claim(1, at(4_999))).toEqual([])
    })
  })

  describe("bypass", () => {
    it("skips the steps, and what depends on them goes on", async () => {
      const workflow = await store.define({
        a: { skippable: true },
        b: { skippable: true, dependsOn: ["a"] },
        c: { dependsOn: ["b"] },
        d: { dependsOn: ["a"] },
      })
      const taskId = await store.createTask(workflow, {
        bypass: ["b", "a", "a"],
        initiator: "ann",
        reason: "known already",
      })
      expect(await store.states(taskId)).toEqual({ a: "skipped", b: "skipped", c: "pending", d: "pending" })
      expect((await store.history(taskId)).filter(({ name }) => name === "b")).toMatchObject([
        { from_state: "pending", to_state: "skipped", cause: "bypassed", actor: "ann", reason: "known already" },
      ])
      expect((await (await store.worker(workflow)).advance()).names).toEqual(["c#1", "d#1"])
    })

    it("of every step completes the task", async () => {
      const workflow = await store.define({ a: { skippable: true }, b: { skippable: true, dependsOn: ["a"] } })
      const taskId = await store.createTask(workflow, { bypass: ["a", "b"] })
      expect(await store.task(taskId)).toMatchObject({ state: "complete", active_steps: 0 })
      expect(await store.path(taskId)).toEqual(["pending", "in_progress", "complete"])
    })
  })

  describe("identity", () => {
    it("a second request under the same key gives the first task", async () => {
      const workflow = await store.define({ only: {} })
      const request = { workflow_id: workflow.workflowId, input: 1, identity_key: `once-${kind}` }
      const [first] = await store.createTasks([request])
      expect(first).toMatchObject({ created: true })
      expect(await store.createTasks([{ ...request, input: 2 }])).toEqual([{ taskId: first!.taskId, created: false }])
      expect(await countTasks(workflow.workflowId)).toBe(1)
    })

    it("two requests of one call under the same key give one task, created once", async () => {
      const workflow = await store.define({ only: {} })
      const request = { workflow_id: workflow.workflowId, input: 1, identity_key: "twice" }
      const tasks = await store.createTasks([request, { ...request, identity_key: "another" }, request])
      expect(tasks[0]?.taskId).toBe(tasks[2]?.taskId)
      expect(tasks.filter(({ created }) => created)).toHaveLength(2)
      expect(tasks[1]?.created).toBe(true)
      expect(await countTasks(workflow.workflowId)).toBe(2)
    })

    it.each(["error", "cancelled"])(
      "a task that ended in %s gives up its key only when that is asked for",
      async (state) => {
        const workflow = await store.define({ only: {} })
        const request = { workflow_id: workflow.workflowId, input: 1, identity_key: `failed-${state}` }
        const [first] = await store.createTasks([request])
        const live = await store.createTasks([{ ...request, on_failed: "create" }])
        expect(live).toEqual([{ taskId: first!.taskId, created: false }])
        if (state === "cancelled") await store.call("cancel_task", [first!.taskId, "ann", "why"])
        else {
          const worker = await store.worker(workflow)
          await worker.finish(failedForGood(await worker.claimOne()))
        }
        expect(await store.createTasks([{ ...request, on_failed: "return" }])).toEqual([
          { taskId: first!.taskId, created: false },
        ])
        const [second] = await store.createTasks([{ ...request, on_failed: "create" }])
        expect(second).toMatchObject({ created: true })
        expect(second?.taskId).not.toBe(first?.taskId)
        expect(await store.createTasks([request])).toEqual([{ taskId: second!.taskId, created: false }])
      },
    )

    it("a task that is complete keeps its key, whatever is asked for", async () => {
      const workflow = await store.define({ only: {} })
      const request = { workflow_id: workflow.workflowId, input: 1, identity_key: "done", on_failed: "create" }
      const [first] = await store.createTasks([request])
      const worker = await store.worker(workflow)
      await worker.finish(completed(await worker.claimOne()))
      expect(await store.createTasks([request])).toEqual([{ taskId: first!.taskId, created: false }])
    })

    it.skipIf(kind === "pglite").each(["commit", "rollback"] as const)(
      "a request under a key that another transaction is about to take waits for its %s",
      async (end) => {
        const workflow = await store.define({ only: {} })
        const request = { workflow_id: workflow.workflowId, input: 1, identity_key: `racing-${end}` }
        const held = await openTransaction(opened.database, (tx) => store.createTasks([request], at(0), tx))
        const second = store.createTasks([request])
        await untilBlocked(opened.database)
        await held[end]()
        const [task] = await second
        expect(task?.created).toBe(end === "rollback")
        expect(task?.taskId === held.result[0]?.taskId).toBe(end === "commit")
        expect(await countTasks(workflow.workflowId)).toBe(1)
      },
    )

    it.skipIf(kind === "pglite")("two calls with the same keys in opposite order do not deadlock", async () => {
      const workflow = await store.define({ only: {} })
      const requests = ["x", "y", "z"].map((key) => ({
        workflow_id: workflow.workflowId,
        input: 1,
        identity_key: `cross-${key}`,
      }))
      const calls = Array.from({ length: 8 }, (_call, index) =>
        store.createTasks(index % 2 === 0 ? requests : requests.toReversed()),
      )
      const created = (await Promise.all(calls)).flat().filter((task) => task.created)
      expect(created).toHaveLength(3)
    })
  })
})
