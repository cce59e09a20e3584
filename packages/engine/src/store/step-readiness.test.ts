import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { createTestBench, diamond, errorJson, single, type TestBench } from "../client/test-bench.ts"
import type { Database } from "../core/database.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "./migrate.ts"

interface Readiness {
  readonly name: string
  readonly state: string
  readonly blocked_by: string | null
  readonly blocked_by_steps: readonly string[]
  readonly next_retry_at: Date | null
  readonly done_parents: number
}

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

  // What a test before left running would take the room of a limited queue.
  beforeEach(() => bench.drain())

  async function readiness(taskId: string, at = "now()"): Promise<Readonly<Record<string, string | null>>> {
    const rows = await database.query<Readiness>({
      text: `select name, state, blocked_by from tasker.step_readiness(array[$1::uuid], ${at}) order by step_no`,
      values: [taskId],
    })
    return Object.fromEntries(rows.map((row) => [row.name, row.blocked_by]))
  }

  async function context(taskId: string, at = "now()") {
    const [row] = await database.query<Record<string, unknown>>({
      text: `
        select execution_status as status, recommended_action as action, health_status as health,
          completion_percentage as percentage, ready_steps as ready
        from tasker.task_execution_contexts(array[$1::uuid], ${at})`,
      values: [taskId],
    })
    return row
  }

  async function create(options = {}): Promise<string> {
    return (await bench.client.createTask(diamond, { n: 1 }, options)).taskId
  }

  describe("step_readiness", () => {
    test("says which step is ready, and which parents the others wait for", async () => {
      const taskId = await create()
      const steps = await bench.client.getSteps(taskId)
      expect(steps.map(({ name, blockedBy, blockedBySteps }) => [name, blockedBy, blockedBySteps])).toEqual([
        ["start", "ready", []],
        ["left", "parents", ["start"]],
        ["right", "parents", ["start"]],
        ["end", "parents", ["left", "right"]],
      ])
      await bench.run(taskId, "start")
      await bench.run(taskId, "left")
      expect(await bench.client.getSteps(taskId)).toMatchObject([
        { name: "start", state: "complete", blockedBy: null, attempts: 1, doneDependencyCount: 0 },
        { name: "left", state: "complete", blockedBy: null, dependsOn: ["start"], doneDependencyCount: 1 },
        { name: "right", state: "in_progress", blockedBy: null, workerId: bench.workerId, runAt: null },
        { name: "end", state: "pending", blockedBy: "parents", blockedBySteps: ["right"], doneDependencyCount: 1 },
      ])
    })

    test("says when a step that failed is tried again, and that somebody must act once no attempt is left", async () => {
      const taskId = await create()
      await bench.run(taskId, "start", { kind: "retry", json: errorJson("busy"), delayMs: 60_000 })
      const [start] = await bench.client.getSteps(taskId)
      expect(start).toMatchObject({ state: "waiting_for_retry", blockedBy: "retry", error: { message: "busy" } })
      expect(start?.nextRetryAt).toEqual(start?.runAt)
      expect(await readiness(taskId, "now() + interval '61 seconds'")).toMatchObject({ start: "ready" })
      expect(await context(taskId)).toMatchObject({
        status: "waiting_for_retry",
        action: "wait_for_retry",
        health: "recovering",
      })

      await bench.client.retryStep(taskId, "start")
      await bench.run(taskId, "start", { kind: "retry", json: errorJson("busy") })
      expect(await readiness(taskId)).toMatchObject({ start: "operator", left: "parents" })
      expect(await context(taskId)).toMatchObject({
        status: "blocked_by_failures",
        action: "handle_failures",
        health: "blocked",
        percentage: 0,
      })
    })

    test("says that a step is delayed, whatever the time zone of the session", async () => {
      const taskId = await create({ runAt: new Date(Date.now() + 300_000) })
      for (const zone of ["UTC", "America/New_York", "Asia/Kathmandu"]) {
        const seen = await database.transaction(async (tx) => {
          await tx.query({ text: "select set_config('timezone', $1, true)", values: [zone] })
          const rows = await tx.query<{ later: string; now: string; status: string }>({
            text: `
              select now.blocked_by as now, later.blocked_by as later, context.execution_status as status
              from tasker.step_readiness(array[$1::uuid], now()) as now
              join tasker.step_readiness(array[$1::uuid], now() + interval '6 minutes') as later using (task_id, step_no)
              join tasker.task_execution_contexts(array[$1::uuid], now()) as context using (task_id)
              where now.name = 'start'`,
            values: [taskId],
          })
          return rows[0]
        })
        expect(seen).toEqual({ now: "delayed", later: "ready", status: "waiting" })
      }
    })

    test("names a paused task and a paused queue", async () => {
      const taskId = await create()
      await bench.client.pauseTask(taskId)
      expect(await readiness(taskId)).toMatchObject({ start: "task_paused", left: "parents" })
      expect(await context(taskId)).toMatchObject({ status: "paused", action: "resume", health: "healthy" })
      await bench.client.resumeTask(taskId)
      await bench.client.pauseQueue("shop")
      expect(await readiness(taskId)).toMatchObject({ start: "queue_paused" })
      expect(await context(taskId)).toMatchObject({ status: "paused", action: "resume", ready: 0 })
      await bench.client.resumeQueue("shop")
      expect(await context(taskId)).toMatchObject({
        status: "has_ready_steps",
        action: "execute_ready_steps",
        ready: 1,
      })
      await bench.client.cancelTask(taskId)
    })

    test("names a queue that runs as much as it may", async () => {
      await bench.client.limitQueue("shop", 1)
      const [one, other] = [await create(), await create()]
      const claimed = (await bench.claim()).filter(({ taskId }) => taskId === one || taskId === other)
      expect(claimed).toHaveLength(1)
      const waiting = claimed[0]?.taskId === one ? other : one
      expect(await readiness(waiting)).toMatchObject({ start: "queue_limit" })
      await bench.client.limitQueue("shop", 2)
      expect(await readiness(waiting)).toMatchObject({ start: "ready" })
      await bench.client.limitQueue("shop", null)
      for (const taskId of [one, other]) await bench.client.cancelTask(taskId)
    })

    test("names the missing worker: none is live once leases ran out", async () => {
      const taskId = await create()
      expect(await readiness(taskId, "now() + interval '9 minutes'")).toMatchObject({ start: "ready" })
      expect(await readiness(taskId, "now() + interval '11 minutes'")).toMatchObject({ start: "no_worker" })
      await bench.client.cancelTask(taskId)
    })

    test("gives no reason for what has ended", async () => {
      const taskId = await create()
      await bench.client.cancelTask(taskId)
      expect(new Set(Object.values(await readiness(taskId)))).toEqual(new Set([null]))
      expect(await context(taskId)).toMatchObject({
        status: "all_complete",
        action: "none",
        health: "healthy",
        percentage: 0,
      })
    })
  })

  describe("task_execution_contexts", () => {
    test("counts steps of many tasks, and says how far each is", async () => {
      const [done, half, failing] = [await create(), await create(), await create()]
      await bench.drain((step, name) =>
        (step.taskId === failing && name === "left") || (step.taskId === half && name === "end")
          ? { kind: "error", json: errorJson("no") }
          : {},
      )
      const contexts = await bench.client.getExecutionContexts([done, half, failing])
      expect(contexts).toMatchObject([
        {
          taskId: done,
          state: "complete",
          totalSteps: 4,
          completeSteps: 4,
          executionStatus: "all_complete",
          recommendedAction: "none",
          healthStatus: "healthy",
          completionPercentage: 100,
        },
        { taskId: half, state: "error", completeSteps: 3, errorSteps: 1, completionPercentage: 75 },
        {
          taskId: failing,
          completeSteps: 2,
          errorSteps: 1,
          pendingSteps: 1,
          executionStatus: "blocked_by_failures",
          healthStatus: "blocked",
          completionPercentage: 50,
        },
      ])
    })

    test("finds a task healthy while its steps run, recovering while others can go on", async () => {
      const taskId = await create()
      await bench.run(taskId, "start")
      await bench.claim()
      expect(await context(taskId)).toMatchObject({
        status: "processing",
        action: "wait_for_completion",
        health: "healthy",
      })
      await bench.run(taskId, "left", { kind: "error", json: errorJson("no") })
      expect(await context(taskId)).toMatchObject({ status: "processing", health: "recovering", percentage: 25 })
    })
  })

  test("reads tasks and steps by their keys, however many there are", async () => {
    await bench.client.createTasks(
      diamond,
      Array.from({ length: 3_000 }, () => ({ input: { n: 1 } })),
    )
    // Steps have no records before something happens to them.
    await database.script(`
      insert into tasker.step_records (task_id, state, step_no, attempts, max_attempts)
      select task_id, 'resolved_manually', 3, 0, 3 from tasker.tasks where state = 'pending'
      on conflict do nothing`)
    await database.script("analyze")
    const { tasks } = await bench.client.listTasks({ limit: 20 })
    for (const call of ["step_readiness", "task_execution_contexts"]) {
      const plan = await database.query<{ "QUERY PLAN": string }>({
        text: `explain select * from tasker.${call}($1::uuid[])`,
        values: [tasks.map(({ taskId }) => taskId)],
      })
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n")
      expect(text).toMatch(/Index .*step_records_pkey/)
      expect(text).not.toMatch(/Seq Scan on (tasks|step_records|transitions|step_queue)/)
    }
  })
})
