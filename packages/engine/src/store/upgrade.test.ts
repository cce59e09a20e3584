import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { listTransitions } from "./list-transitions.ts"
import { migrate } from "./migrate.ts"
import { readSqlFiles } from "./sql-files.ts"
import { at } from "./test-clock.ts"
import { openTransaction, TestStore, type TestWorkflow, untilBlocked } from "./test-store.ts"
import { completed } from "./test-worker.ts"

// A diamond with a tail, and what version 2 of the schema held of its tasks.
const STEPS = {
  a: {},
  b: { dependsOn: ["a"] },
  c: { dependsOn: ["a"] },
  d: { dependsOn: ["b", "c"] },
  e: { dependsOn: ["d"] },
}
const id = (task: number) => `00000000-0000-7000-8000-00000000000${task}`
const [RUNNING, FAILED, NEW, DONE] = [id(1), id(2), id(3), id(4)]

/** A task, its steps, its rows in the queue, and its history, as the functions of version 2 wrote them. */
const OLD_TASKS = `
  insert into tasker.tasks
    (task_id, created_at, started_at, finished_at, workflow_id, open_steps, active_steps, state, priority, input)
  values
    ('${RUNNING}', '2030-01-01', '2030-01-01', null, 1, 4, 2, 'in_progress', 3, '1'),
    ('${FAILED}', '2030-01-01', '2030-01-01', '2030-01-01', 1, 5, 0, 'error', 3, '1'),
    ('${NEW}', '2030-01-01', null, null, 1, 5, 1, 'pending', 3, '1'),
    ('${DONE}', '2030-01-01', '2030-01-01', '2030-01-01', 1, 0, 0, 'complete', 3, '1');
  insert into tasker.steps (task_id, step_no, state, waiting_on, attempts, max_attempts, started_at, finished_at, result, error)
  values
    ('${RUNNING}', 0, 'complete', 0, 1, 3, '2030-01-01', '2030-01-01', '"a"', null),
    ('${RUNNING}', 1, 'in_progress', 0, 1, 3, '2030-01-01', null, null, null),
    ('${RUNNING}', 2, 'waiting_for_retry', 0, 1, 3, '2030-01-01', null, null, '{"message": "busy"}'),
    ('${RUNNING}', 3, 'pending', 2, 0, 3, null, null, null, null),
    ('${RUNNING}', 4, 'pending', 1, 0, 3, null, null, null, null),
    ('${FAILED}', 0, 'error', 0, 1, 3, '2030-01-01', '2030-01-01', null, '{"message": "no"}'),
    ('${FAILED}', 1, 'pending', 1, 0, 3, null, null, null, null),
    ('${FAILED}', 2, 'pending', 1, 0, 3, null, null, null, null),
    ('${FAILED}', 3, 'pending', 2, 0, 3, null, null, null, null),
    ('${FAILED}', 4, 'pending', 1, 0, 3, null, null, null, null),
    ('${NEW}', 0, 'pending', 0, 0, 3, null, null, null, null),
    ('${NEW}', 1, 'pending', 1, 0, 3, null, null, null, null),
    ('${NEW}', 2, 'pending', 1, 0, 3, null, null, null, null),
    ('${NEW}', 3, 'pending', 2, 0, 3, null, null, null, null),
    ('${NEW}', 4, 'pending', 1, 0, 3, null, null, null, null);
  insert into tasker.steps (task_id, step_no, state, waiting_on, attempts, max_attempts, started_at, finished_at, result)
  select '${DONE}', step_no, 'complete', 0, 1, 3, '2030-01-01', '2030-01-01', '1' from generate_series(0, 4) as step_no;
  insert into tasker.step_queue (task_id, run_at, route_id, worker_id, step_no, attempt, priority, held, limited)
  values
    ('${RUNNING}', '2030-01-01', 1, 1, 1, 1, 3, false, false),
    ('${RUNNING}', '2030-01-01', 1, null, 2, 1, 3, false, false),
    ('${NEW}', '2030-01-01', 1, null, 0, 0, 3, false, false);
  insert into tasker.transitions (at, task_id, from_state, to_state, step_no, attempt)
  select '2030-01-01', task_id::uuid, from_state::tasker.state, to_state::tasker.state, step_no, attempt
  from (values
    (1, '${RUNNING}', null, 'pending', null, null), (2, '${RUNNING}', 'pending', 'in_progress', null, null),
    (3, '${RUNNING}', 'pending', 'in_progress', 0, 1), (4, '${RUNNING}', 'in_progress', 'complete', 0, 1),
    (5, '${RUNNING}', 'pending', 'in_progress', 1, 1), (6, '${RUNNING}', 'pending', 'in_progress', 2, 1),
    (7, '${RUNNING}', 'in_progress', 'waiting_for_retry', 2, 1),
    (8, '${FAILED}', null, 'pending', null, null), (9, '${FAILED}', 'pending', 'in_progress', null, null),
    (10, '${FAILED}', 'pending', 'in_progress', 0, 1), (11, '${FAILED}', 'in_progress', 'error', 0, 1),
    (12, '${FAILED}', 'in_progress', 'error', null, null),
    (13, '${NEW}', null, 'pending', null, null),
    (14, '${DONE}', null, 'pending', null, null), (15, '${DONE}', 'pending', 'in_progress', null, null)
  ) as old (ordinal, task_id, from_state, to_state, step_no, attempt)
  order by ordinal;
  insert into tasker.transitions (at, task_id, from_state, to_state, step_no, attempt)
  select '2030-01-01', '${DONE}', path.from_state::tasker.state, path.to_state::tasker.state, step_no, 1
  from generate_series(0, 4) as step_no
  cross join (values ('pending', 'in_progress'), ('in_progress', 'complete')) as path (from_state, to_state)
  order by step_no, path.from_state desc;
  insert into tasker.transitions (at, task_id, from_state, to_state) values ('2030-01-01', '${DONE}', 'in_progress', 'complete');
`

describe.each(testDatabases())("a database of schema version 2 on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore
  let workflow: TestWorkflow

  beforeAll(async () => {
    opened = await open()
    const { database } = opened
    // What a workflow and a worker look like has not changed since, so today's functions make those.
    await migrate(database)
    store = new TestStore(database)
    workflow = await store.define(STEPS)
    await store.worker(workflow)
    const definitions = ["queues", "workflows", "routes", "workflow_steps", "workers"]
    await database.script(
      definitions.map((table) => `create table public.${table} as table tasker.${table};`).join("\n"),
    )
    await database.script("drop schema tasker cascade")
    await createVersion(2, database)
    for (const table of definitions) {
      await database.script(`insert into tasker.${table} overriding system value table public.${table}`)
    }
    // The ids of workers go on where they were.
    await database.script(`select setval(pg_get_serial_sequence('tasker.workers', 'worker_id'), 1); ${OLD_TASKS}`)
    await migrate(database)
  })
  afterAll(async () => await opened.close())

  it("is sound once it is migrated, and shows what it showed before", async () => {
    expect(await store.violations()).toEqual([])
    expect(await store.states(RUNNING)).toEqual({
      a: "complete",
      b: "in_progress",
      c: "waiting_for_retry",
      d: "pending",
      e: "pending",
    })
    expect(await store.step(RUNNING, "d")).toMatchObject({ waiting_on: 2, attempts: 0, max_attempts: 3 })
    expect(await store.step(RUNNING, "b")).toMatchObject({ attempts: 1, started_at: new Date("2030-01-01") })
    expect(await store.task(FAILED)).toMatchObject({ state: "error", active_steps: 0, failed_steps: 1 })
  })

  it("its tasks go on to their end", async () => {
    // The worker of version 2 is gone for good.
    await store.rescue(at(3_600_000))
    const worker = await store.worker(workflow, { now: at(3_600_000) })
    await store.call("retry_steps", [FAILED, null, "ann", "after the upgrade"], at(3_600_000))
    for (let { claimed } = await worker.advance({ now: at(3_600_000) }); claimed.length > 0;) {
      const turn = await worker.advance({ outcomes: claimed.map((claim) => completed(claim, 1)), now: at(3_600_000) })
      claimed = turn.claimed
    }
    for (const taskId of [RUNNING, FAILED, NEW, DONE]) {
      expect(await store.task(taskId)).toMatchObject({ state: "complete", active_steps: 0, failed_steps: 0 })
    }
    expect(await store.violations()).toEqual([])
  })

  it("its history can be followed, and takes what steps publish", async () => {
    const worker = await store.worker(workflow, { now: at(3_600_000) })
    const taskId = await store.createTask(workflow, {}, at(3_600_000))
    const claim = await worker.claimOne(at(3_600_000))
    const event = { name: "test.event", payload: 1 }
    await worker.advance({ outcomes: [{ ...completed(claim), events: [event] }], room: 0, now: at(3_600_000) })
    expect((await listTransitions(opened.database, taskId)).map((row) => row.event)).toContainEqual(event)
    expect(await store.violations()).toEqual([])
  })
})

describe.each(testDatabases())("a database of schema version 3 on $kind", ({ kind, open }) => {
  let opened: TestDatabase

  beforeEach(async () => {
    opened = await open()
    await createVersion(3, opened.database)
    await opened.database.script(
      "insert into tasker.transitions (at, task_id, to_state) select now(), gen_random_uuid(), 'pending' from generate_series(1, 9)",
    )
  })
  afterEach(async () => await opened.close())

  const index =
    "create unique index concurrently transitions_pkey on tasker.transitions (transition_id) with (fillfactor = 100)"

  async function indexes(): Promise<readonly number[]> {
    const rows = await opened.database.query<{ indexrelid: number }>({
      text: "select indexrelid::integer from pg_index where indrelid = 'tasker.transitions'::regclass and indisprimary and indisvalid",
    })
    return rows.map(({ indexrelid }) => indexrelid)
  }

  it("takes the index on its history that was built while workers ran", async () => {
    await opened.database.query({ text: index })
    const [built] = await opened.database.query<{ oid: number }>({
      text: "select 'tasker.transitions_pkey'::regclass::oid::integer as oid",
    })
    await migrate(opened.database)
    expect(await indexes()).toEqual([built?.oid])
  })

  it("refuses one whose building broke off, and is as it was", async () => {
    await opened.database.query({ text: index })
    await opened.database.query({
      text: "update pg_index set indisvalid = false where indexrelid = 'tasker.transitions_pkey'::regclass",
    })
    await expect(migrate(opened.database)).rejects.toMatchObject({ code: "TASKER_MIGRATION_FAILED" })
    expect(await indexes()).toEqual([])
    await opened.database.script("drop index tasker.transitions_pkey")
    await migrate(opened.database)
    expect(await indexes()).toHaveLength(1)
  })

  it.skipIf(kind === "pglite")("waits for those who write history, and lets them come to their end", async () => {
    const insert = "insert into tasker.transitions (at, task_id, to_state) values (now(), gen_random_uuid(), 'pending')"
    const writing = await openTransaction(opened.database, (tx) => tx.query({ text: insert }))
    const migrated = migrate(opened.database)
    await untilBlocked(opened.database)
    await writing.commit()
    await migrated
    expect(await indexes()).toHaveLength(1)
    expect(await opened.database.query({ text: "select from tasker.transitions" })).toHaveLength(10)
  })
})

/** The schema as it was after so many migrations, without functions. */
async function createVersion(version: number, database: TestDatabase["database"]): Promise<void> {
  const { migrations } = await readSqlFiles()
  await database.script(`
    create schema tasker;
    create table tasker.migrations (name text primary key, hash text not null, applied_at timestamptz not null default now());
    create table tasker.routines (name text primary key, hash text not null, release text not null, applied_at timestamptz not null default now());`)
  for (const { name, hash, text } of migrations.slice(0, version)) {
    await database.script(text)
    await database.query({ text: "insert into tasker.migrations (name, hash) values ($1, $2)", values: [name, hash] })
  }
}
