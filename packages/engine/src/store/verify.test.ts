import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createTestBench, diamond, errorJson, single, type TestBench } from "../client/test-bench.ts"
import type { Database } from "../core/database.ts"
import { STEP_TRANSITIONS, TASK_TRANSITIONS } from "../core/state.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "./migrate.ts"
import { verify, type Violation } from "./verify.ts"

describe.each(testDatabases(migrate))("on $kind", ({ open }) => {
  let database: Database
  let bench: TestBench
  let close: () => Promise<void>
  let openTask: string
  let half: string
  let done: string

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = () => opened.close()
    bench = await createTestBench(database, [diamond, single])
    // Two attempts of each kind, a retry, a failure, and one of every operator's acts.
    const tasks = await bench.client.createTasks(
      diamond,
      Array.from({ length: 8 }, () => ({ input: { n: 1 } })),
    )
    const ids = tasks.map(({ taskId }) => taskId)
    const [failing = "", skipped = "", cancelled = "", retried = "", resolved = "", settled = "", early = ""] = ids
    done = ids[7] ?? ""
    await bench.client.resolveStep(early, "left", { result: "early" })
    await bench.drain((step, name) => {
      if (step.taskId === done && step.attempt === 1) return { kind: "retry", json: errorJson("again") }
      if (step.taskId === cancelled) return { kind: "retry", json: errorJson("busy"), delayMs: 3_600_000 }
      const fails = [failing, skipped, retried, resolved, settled].includes(step.taskId) && name === "left"
      return fails || (step.taskId === skipped && name === "right") ? { kind: "error", json: errorJson("no") } : {}
    })
    await bench.client.cancelTask(cancelled)
    await bench.client.retryStep(retried, "left")
    await bench.client.resolveStep(resolved, "left", { result: 1 })
    await bench.client.resolveTask(settled)
    await bench.drain()
    half = (await bench.client.createTask(diamond, { n: 2 })).taskId
    for (const step of ["start", "left"]) await bench.run(half, step)
    openTask = (await bench.client.createTask(diamond, { n: 2 })).taskId
    await bench.run(openTask, "start")
    await bench.claim(1)
    await bench.client.createTask(single, { a: 1 }, { runAt: new Date(Date.now() + 3_600_000) })
  })

  afterAll(() => close())

  /** What verify finds when this was done to the open task, to the one with half of its branches done, to the complete one. */
  async function planted(...statements: readonly string[]): Promise<readonly Violation[]> {
    const found: Violation[] = []
    const rollback = new Error("rollback")
    const planting = database.transaction(async (tx) => {
      for (const text of statements) {
        const ids: readonly (readonly [string, string])[] = [
          [":open", `'${openTask}'`],
          [":half", `'${half}'`],
          [":done", `'${done}'`],
        ]
        await tx.query({ text: ids.reduce((sql, [name, id]) => sql.replaceAll(name, id), text) })
      }
      found.push(...(await verify(tx)))
      throw rollback
    })
    await expect(planting).rejects.toBe(rollback)
    return found
  }

  test("finds nothing after retries, failures and every operator's act", async () => {
    expect(await verify(database)).toEqual([])
    const { states } = await bench.client.countTasks()
    expect(states).toMatchObject({
      complete: 4,
      error: 2,
      cancelled: 1,
      resolved_manually: 1,
      in_progress: 2,
      pending: 1,
    })
  })

  const worker = (change: string) => `update tasker.workers set ${change}`
  const held = "where task_id = :open and worker_id is not null"
  const free = "where task_id = :open and worker_id is null"

  test.each([
    ["progress", "an open task without anything to do", ["delete from tasker.step_queue where task_id = :open"]],
    ["progress", "a step held by a lost worker", [worker("lost_at = now()")]],
    ["progress", "a step held by a stopped worker", [worker("stopped_at = now()")]],
    ["progress", "a step held by no worker at all", ["delete from tasker.workers"]],
    ["progress", "a lease that ran out long ago", [worker("heartbeat_at = now() - interval '12 minutes'")]],
    [
      "attempts",
      "a result that was recorded twice",
      [
        "insert into tasker.transitions (at, task_id, from_state, to_state, step_no, attempt) select at, task_id, from_state, to_state, step_no, attempt from tasker.transitions where task_id = :done and step_no = 3 and to_state = 'complete'",
      ],
    ],
    [
      "attempts",
      "a gap between attempts",
      ["update tasker.transitions set attempt = 3 where task_id = :done and attempt = 2"],
    ],
    [
      "attempts",
      "an attempt without history",
      ["update tasker.step_records set attempts = 1 where task_id = :done and step_no = 0"],
    ],
    [
      "attempts",
      "a result of a step that has not ended",
      ["update tasker.step_records set result = '1' where task_id = :half and step_no = 3"],
    ],
    [
      "order",
      "a step that started before its parent was done",
      [
        "create temporary table late on commit drop as select * from tasker.transitions where task_id = :done and step_no = 0 and to_state = 'complete'",
        "delete from tasker.transitions where task_id = :done and step_no = 0 and to_state = 'complete'",
        "insert into tasker.transitions (at, task_id, worker_id, from_state, to_state, step_no, attempt) select at, task_id, worker_id, from_state, to_state, step_no, attempt from late",
      ],
    ],
    [
      "counters",
      "a wrong failed_steps",
      ["update tasker.tasks set failed_steps = failed_steps + 1 where task_id = :open"],
    ],
    [
      "counters",
      "a wrong active_steps",
      ["update tasker.tasks set active_steps = active_steps - 1 where task_id = :open"],
    ],
    [
      "counters",
      "a wrong waiting_on",
      ["update tasker.step_records set waiting_on = 2 where task_id = :half and step_no = 3"],
    ],
    [
      "counters",
      "parents that nobody counts",
      ["update tasker.step_records set waiting_on = null where task_id = :half and step_no = 3"],
    ],
    [
      "counters",
      "parents that nobody counts, because the record is missing",
      ["delete from tasker.step_records where task_id = :half and step_no = 3"],
    ],
    ["counters", "a record that is missing", ["delete from tasker.step_records where task_id = :done and step_no = 3"]],
    [
      "counters",
      "a record of a step that there is not",
      ["update tasker.step_records set step_no = 9 where task_id = :done and step_no = 2"],
    ],
    [
      "counters",
      "a failed task that can go on",
      ["update tasker.tasks set state = 'error', finished_at = now() where task_id = :open"],
    ],
    ["queue", "an attempt that nobody runs", [`update tasker.step_queue set worker_id = null ${held}`]],
    [
      "queue",
      "a step in somebody's hands whose attempt did not start",
      [`update tasker.step_queue set worker_id = 1 ${free}`],
    ],
    ["queue", "a ready step that nobody can find", [`delete from tasker.step_queue ${free}`]],
    [
      "queue",
      "a queued step that waits for its parents",
      [
        "insert into tasker.step_queue (task_id, run_at, route_id, step_no, attempt, max_attempts, priority, held, limited, is_recorded) select task_id, run_at, route_id, 3, 0, max_attempts, priority, held, limited, true from tasker.step_queue where task_id = :open limit 1",
      ],
    ],
    ["queue", "another attempt in the queue", [`update tasker.step_queue set attempt = attempt + 1 ${held}`]],
    ["queue", "a held step that never started", [`update tasker.step_queue set started_at = null ${held}`]],
    ["queue", "more attempts in the queue", [`update tasker.step_queue set max_attempts = max_attempts + 1 ${held}`]],
    [
      "queue",
      "a record that the queue does not know of",
      [`update tasker.step_queue set is_recorded = not is_recorded ${held}`],
    ],
    [
      "queue",
      "a step in the queue that has ended",
      [
        "insert into tasker.step_queue (task_id, run_at, route_id, step_no, attempt, max_attempts, priority, held, limited, is_recorded) select :done, run_at, route_id, 2, 1, max_attempts, priority, held, limited, true from tasker.step_queue where task_id = :open limit 1",
      ],
    ],
    ["queue", "a step held back in a task that is not paused", [`update tasker.step_queue set held = true ${free}`]],
    [
      "queue",
      "a step to be claimed in a task that is paused",
      ["update tasker.tasks set paused_at = now() where task_id = :open"],
    ],
    ["queue", "a step that does not know of its queue's limit", ["update tasker.queues set max_running = 5"]],
    [
      "transitions",
      "a state without history",
      ["update tasker.step_records set state = 'skipped' where task_id = :done and step_no = 2"],
    ],
    [
      "transitions",
      "a task without history",
      ["delete from tasker.transitions where task_id = :done and step_no is null"],
    ],
    ["transitions", "history without a task", ["delete from tasker.tasks where task_id = :done"]],
    [
      "transitions",
      "a transition from where the thing was not",
      [
        "update tasker.transitions set from_state = 'waiting_for_retry' where task_id = :done and step_no = 3 and attempt = 1 and to_state = 'in_progress'",
      ],
    ],
    [
      "transitions",
      "a transition that is not legal",
      [
        "insert into tasker.transitions (at, task_id, from_state, to_state, step_no, attempt) values (now(), :done, 'complete', 'pending', 3, 2)",
        "update tasker.step_records set state = 'pending' where task_id = :done and step_no = 3",
      ],
    ],
  ] as const)("%s: finds %s", async (invariant, _what, statements) => {
    const found = await planted(...statements)
    expect(found.map((violation) => violation.invariant)).toContain(invariant)
    const violation = found.find((candidate) => candidate.invariant === invariant)
    expect([openTask, half, done]).toContain(violation?.taskId)
    expect(violation?.detail).toMatch(/\w/)
  })

  test("allows a lease to run out that there was no time to rescue", async () => {
    expect(await planted(worker("heartbeat_at = now() - interval '610 seconds'"))).toEqual([])
  })

  test("knows the same legal transitions as the code", async () => {
    const rows = await database.query<{ is_task: boolean; from_state: string | null; to_state: string }>({
      text: "select is_task, from_state, to_state from tasker.legal_transitions()",
    })
    const inSql = (isTask: boolean) =>
      rows
        .filter((row) => row.is_task === isTask && row.from_state !== null)
        .map((row) => `${row.from_state} → ${row.to_state}`)
    const inCode = (table: Readonly<Record<string, readonly string[]>>) =>
      Object.entries(table).flatMap(([from, states]) => states.map((to) => `${from} → ${to}`))
    expect(inSql(true).toSorted()).toEqual(inCode(TASK_TRANSITIONS).toSorted())
    expect(inSql(false).toSorted()).toEqual(inCode(STEP_TRANSITIONS).toSorted())
    expect(rows.filter((row) => row.from_state === null)).toEqual([
      { is_task: true, from_state: null, to_state: "pending" },
    ])
  })
})
