import { PGlite } from "@electric-sql/pglite"
import { randomUUID } from "node:crypto"
import pg from "pg"
import { countRoundTrips } from "./measure/round-trips.ts"
import { readUsage } from "./measure/usage.ts"
import type { FloorApi, ProcessOptions } from "./processes/apis.ts"
import { serveCalls } from "./processes/calls.ts"
import { findWorkload, RESULT, type Workload } from "./workloads.ts"

// The floor: what any engine on PostgreSQL has to write at least, so that a finished step is known after a crash before its
// dependents start. One row per step result, many in one statement, each statement committed. No index, no queue, no history,
// no fencing; which steps are ready is known in memory alone.

/** Inserts a batch of step results, and returns when it is committed. */
type Insert = (taskIds: readonly string[], stepNos: readonly number[], results: readonly string[]) => Promise<void>

interface Floor {
  readonly workload: Workload
  readonly children: readonly (readonly number[])[]
  /** How many steps each lane has in flight. */
  readonly capacity: number
  readonly lanes: readonly Insert[]
  readonly close: () => Promise<void>
}

interface FloorTask {
  readonly taskId: string
  readonly waitingOn: number[]
}

interface ReadyStep {
  readonly task: FloorTask
  readonly stepNo: number
}

let floor: Floor | undefined

countRoundTrips()
serveCalls<FloorApi>({ open, run, latencies, usage: readUsage }, async () => floor?.close())

const CREATE_TABLE = `
  create table if not exists floor_results (task_id uuid not null, step_no smallint not null, result jsonb not null)`
const INSERT = `
  insert into floor_results (task_id, step_no, result)
  select * from unnest($1::uuid[], $2::smallint[], $3::jsonb[])`

async function open({ url, workload: name, concurrency, lanes }: ProcessOptions): Promise<void> {
  const workload = findWorkload(name)
  const connected = url.startsWith("pglite:") ? await openPglite(lanes) : await openPostgres(url, lanes)
  const children = workload.parents.map((_step, stepNo) =>
    workload.parents.flatMap((parents, childNo) => (parents.includes(stepNo) ? [childNo] : [])),
  )
  floor = { workload, children, capacity: Math.floor(concurrency / lanes), ...connected }
}

async function openPostgres(url: string, laneCount: number): Promise<Pick<Floor, "lanes" | "close">> {
  const clients = Array.from({ length: laneCount }, () => new pg.Client({ connectionString: url }))
  await Promise.all(clients.map((client) => client.connect()))
  // One after the other: `if not exists` does not hold against one that is just being made.
  for (const client of clients) await client.query(CREATE_TABLE)
  const lanes = clients.map((client): Insert => async (...values) => {
    await client.query({ name: "floor", text: INSERT, values })
  })
  return { lanes, close: async () => void (await Promise.all(clients.map((client) => client.end()))) }
}

async function openPglite(laneCount: number): Promise<Pick<Floor, "lanes" | "close">> {
  const pglite = await PGlite.create("memory://")
  await pglite.query(CREATE_TABLE)
  const insert: Insert = async (taskIds, stepNos, results) => {
    await pglite.query(INSERT, [[...taskIds], [...stepNos], results.map((result): unknown => JSON.parse(result))])
  }
  return { lanes: Array.from({ length: laneCount }, () => insert), close: () => pglite.close() }
}

async function run(tasks: number): Promise<void> {
  const { lanes } = known()
  await Promise.all(lanes.map((insert, lane) => runLane(insert, Math.floor((tasks + lane) / lanes.length))))
}

async function latencies(samples: number): Promise<readonly number[]> {
  const [insert] = known().lanes
  if (insert === undefined) throw new Error("expected at least one lane")
  const measured: number[] = []
  for (let sample = 0; sample < samples; sample++) {
    const startedAt = performance.now()
    await runLane(insert, 1)
    measured.push(performance.now() - startedAt)
  }
  return measured
}

async function runLane(insert: Insert, tasks: number): Promise<void> {
  const { capacity } = known()
  const ready: ReadyStep[] = []
  let created = 0
  for (;;) {
    for (; ready.length < capacity && created < tasks; created++) ready.push(...newTask())
    if (ready.length === 0) return
    const batch = ready.splice(-capacity)
    await insert(
      batch.map(({ task }) => task.taskId),
      batch.map(({ stepNo }) => stepNo),
      // Each has its own result, as in an engine.
      batch.map(() => JSON.stringify(RESULT)),
    )
    for (const done of batch) ready.push(...readyAfter(done))
  }
}

function newTask(): readonly ReadyStep[] {
  const { parents } = known().workload
  const task = { taskId: randomUUID(), waitingOn: parents.map((each) => each.length) }
  return parents.flatMap((each, stepNo) => (each.length === 0 ? [{ task, stepNo }] : []))
}

function readyAfter({ task, stepNo }: ReadyStep): readonly ReadyStep[] {
  return (known().children[stepNo] ?? []).flatMap((childNo) => {
    const waitingOn = (task.waitingOn[childNo] ?? 0) - 1
    task.waitingOn[childNo] = waitingOn
    return waitingOn === 0 ? [{ task, stepNo: childNo }] : []
  })
}

function known(): Floor {
  if (floor === undefined) throw new Error("open() comes first")
  return floor
}
