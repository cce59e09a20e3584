import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from "vitest"
import type { Database, Statement } from "../core/database.ts"
import { createHints } from "../core/hints.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { OutcomePoller } from "./outcome-poller.ts"
import { createTestBench, diamond, errorJson, single, type TestBench } from "./test-bench.ts"
import { waitForTask } from "./wait-for-task.ts"

describe.each(testDatabases(migrate))("on $kind", ({ open }) => {
  let database: Database
  let bench: TestBench
  let close: () => Promise<void>

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = () => opened.close()
    bench = await createTestBench(database, [diamond, single])
  })

  afterAll(() => close())

  test("gives the results by step name, typed, without those that were skipped", async () => {
    const handle = await bench.client.createTask(diamond, { n: 1 }, { bypass: ["right"] })
    const waiting = bench.client.waitForTask(handle, { timeoutMs: 20_000 })
    await bench.drain((_, name) => ({ json: JSON.stringify({ start: { at: 5 }, left: "l", end: 9 }[name]) }))
    bench.hint()
    const { state, results } = await waiting
    expectTypeOf(results.start.at).toEqualTypeOf<number>()
    expectTypeOf(results.right).toEqualTypeOf<string | undefined>()
    expect(state).toBe("complete")
    expect({ ...results }).toEqual({ start: { at: 5 }, left: "l", right: undefined, end: 9 })
    expect(Object.getPrototypeOf(results)).toBe(null)
    // It has ended already, and the id says as much as the handle.
    const again = await bench.client.waitForTask(handle.taskId)
    expect(again.results["end"]).toBe(9)
  })

  test("rejects with the error of the step that failed first", async () => {
    const handle = await bench.client.createTask(diamond, { n: 1 })
    const waiting = bench.client.waitForTask(handle)
    const rejected = expect(waiting).rejects.toMatchObject({
      code: "TASKER_TASK_FAILED",
      message: `step "left" of task ${handle.taskId} failed after 1 attempt: card declined`,
      cause: { name: "Error", code: "DECLINED", message: "card declined" },
      details: { taskId: handle.taskId, step: "left", attempts: 1, failedSteps: ["left"] },
    })
    await bench.drain((step, name) =>
      name === "left" && step.taskId === handle.taskId
        ? { kind: "error", json: errorJson("card declined", "DECLINED") }
        : {},
    )
    bench.hint()
    await rejected

    // Settled by hand, it rejects no more.
    await bench.client.resolveTask(handle)
    expect(await bench.client.waitForTask(handle)).toMatchObject({
      state: "resolved_manually",
      results: { start: null },
    })
  })

  test("rejects when the task is cancelled, does not exist, or is no task", async () => {
    const handle = await bench.client.createTask(single, { a: 1 })
    const rejected = expect(bench.client.waitForTask(handle)).rejects.toMatchObject({ code: "TASKER_TASK_CANCELLED" })
    await bench.client.cancelTask(handle)
    await rejected
    await expect(bench.client.waitForTask("01900000-0000-7000-8000-000000000000")).rejects.toMatchObject({
      code: "TASKER_TASK_NOT_FOUND",
    })
    await expect(bench.client.waitForTask("no")).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
  })

  test("ends when the time is over or the signal aborts, and the task goes on", async () => {
    const handle = await bench.client.createTask(single, { a: 1 })
    await expect(bench.client.waitForTask(handle, { timeoutMs: 1 })).rejects.toMatchObject({
      code: "TASKER_WAIT_TIMEOUT",
      details: { taskId: handle.taskId, timeoutMs: 1 },
    })
    const reason = new Error("enough")
    await expect(bench.client.waitForTask(handle, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const controller = new AbortController()
    const rejected = expect(bench.client.waitForTask(handle, { signal: controller.signal })).rejects.toBe(reason)
    controller.abort(reason)
    await rejected
    expect(await bench.client.getTask(handle)).toMatchObject({ state: "pending" })
    for (const options of [{ timeoutMs: -1 }, { timeoutMs: "1" }, { signal: {} }, { timeout: 1 }]) {
      // What a user without a compiler may pass.
      await expect(bench.client.waitForTask(handle, options as object)).rejects.toMatchObject({
        code: "TASKER_OPTION_INVALID",
      })
    }
  })

  test("asks for all that anybody waits for in one query", async () => {
    const handles = await bench.client.createTasks(
      single,
      Array.from({ length: 100 }, (_, a) => ({ input: { a } })),
    )
    await bench.drain()
    const seen = watchQueries(database)
    const poller = new OutcomePoller({ database: seen.database, hints: createHints() })
    const results = await Promise.all([...handles, ...handles].map((handle) => waitForTask(poller, handle)))
    expect(results).toHaveLength(200)
    expect(seen.statements).toHaveLength(1)
    poller.close()
  })

  test("reads at once, and alone, what a worker of this process saw ending", async () => {
    const ending = await bench.client.createTask(single, { a: 1 })
    const later = await bench.client.createTask(single, { a: 2 }, { runAt: new Date(Date.now() + 3_600_000) })
    const seen = watchQueries(database)
    const hints = createHints()
    const poller = new OutcomePoller({ database: seen.database, hints })
    await bench.drain()
    // Nothing is awaited from here to the hints, so no timer runs in between.
    const refused = expect(waitForTask(poller, later)).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    const waiting = waitForTask(poller, ending)
    const before = seen.statements.length
    hints.emit("ended", ["01900000-0000-7000-8000-000000000000"])
    expect(seen.statements).toHaveLength(before)
    hints.emit("ended", [ending.taskId])
    // Asked already: no timer has to run first.
    expect(seen.statements.slice(before).map(({ values }) => values)).toEqual([[[ending.taskId]]])
    expect(await waiting).toMatchObject({ state: "complete" })
    poller.close()
    await refused
  })

  test("goes on waiting while the connection is lost, and passes on any other error", async () => {
    const handle = await bench.client.createTask(single, { a: 1 })
    await bench.drain()
    const lost = Object.assign(new Error("Connection terminated unexpectedly"), { code: "57P01" })
    const failures: Error[] = [lost, lost]
    const seen = watchQueries(database, failures)
    const poller = new OutcomePoller({ database: seen.database, hints: createHints() })
    expect(await waitForTask(poller, handle)).toMatchObject({ state: "complete" })
    expect(seen.statements).toHaveLength(3)

    const denied = Object.assign(new Error("permission denied"), { code: "42501" })
    failures.push(denied)
    await expect(waitForTask(poller, handle)).rejects.toBe(denied)
    poller.close()
  })

  test("refuses everybody when it is closed", async () => {
    const own = await createTestBench(database, [single])
    const handle = await own.client.createTask(single, { a: 1 })
    const rejected = expect(own.client.waitForTask(handle)).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    own.client.close()
    own.client.close()
    await rejected
    await expect(own.client.waitForTask(handle)).rejects.toMatchObject({ code: "TASKER_CLOSED" })
  })
})

/** A database that notes what it is asked, and fails as often as there are failures. */
function watchQueries(database: Database, failures: Error[] = []) {
  const statements: Statement[] = []
  const watched = {
    query: async <Row>(statement: Statement): Promise<readonly Row[]> => {
      statements.push(statement)
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      return await database.query<Row>(statement)
    },
  }
  // The poller calls nothing else.
  return { statements, database: watched as unknown as Database }
}
