import { createTasker, defineWorkflow, type ExportRequest, type Tasker } from "@tasker/engine"
import { Writable } from "node:stream"
import { parseArgs } from "node:util"
import { openServer, type Server } from "./server.ts"

// Exports of as many rows as you like, the rows made by SQL: how fast they are, and how much memory they take.
//
//     node --expose-gc bench/dist/exports-main.js [--rows 1000000] [--url postgres://…]

const DATABASE = "bench_exports"
/** How many times in an export the heap is measured. */
const SAMPLES = 20

const { values } = parseArgs({ options: { rows: { type: "string", default: "1000000" }, url: { type: "string" } } })
const rows = Number(values.rows)
if (!Number.isSafeInteger(rows) || rows < SAMPLES) throw new Error(`expected --rows to be ${SAMPLES} or more`)
const { gc } = globalThis
if (gc === undefined) throw new Error("run it with node --expose-gc, so that what is measured is not garbage")

const server = await openServer(values.url, 0)
try {
  const url = await server.createDatabase(DATABASE)
  const workflow = defineWorkflow({ namespace: "bench", name: "one_step", version: "1.0.0" }).step("only", {
    handler: () => null,
  })
  const tasker = await createTasker({ url, workflows: [workflow] })
  try {
    await makeRows(server)
    for (const [what, format] of [
      ["tasks", "csv"],
      ["tasks", "json"],
      ["steps", "jsonl"],
      ["history", "csv"],
    ] as const) {
      await measure(tasker, { what, format })
    }
  } finally {
    await tasker.close()
  }
  await server.dropDatabase(DATABASE)
} finally {
  await server.close()
}

/** Tasks that have ended, each with a step and a row of history. */
async function makeRows(where: Server): Promise<void> {
  const client = await where.connect(DATABASE)
  const startedAt = performance.now()
  try {
    await client.query(
      `with new as materialized (
        select task_id, number from unnest(tasker.uuids_v7($1)) with ordinality as made (task_id, number)
      ),
      tasks as (
        insert into tasker.tasks
          (task_id, created_at, started_at, finished_at, workflow_id, active_steps, failed_steps, state, priority,
           input, tags, attributes, initiator)
        select
          new.task_id, now(), now(), now(), workflow.workflow_id, 0, 0, 'complete', 3,
          jsonb_build_object('number', new.number), array['bench'], jsonb_build_object('customer', new.number % 1000), 'bench'
        from new
        cross join tasker.workflows as workflow
      ),
      steps as (
        insert into tasker.step_records (task_id, step_no, state, attempts, max_attempts, started_at, finished_at, result)
        select new.task_id, 0, 'complete', 1, 3, now(), now(), 'null' from new
      )
      insert into tasker.transitions (at, task_id, from_state, to_state, actor)
      select now(), new.task_id, null, 'pending', 'bench' from new order by new.number`,
      [rows],
    )
    await client.query("vacuum analyze tasker.tasks, tasker.step_records, tasker.transitions")
  } finally {
    await client.end()
  }
  console.log(`${rows.toLocaleString("en")} rows of each kind in ${seconds(startedAt)} s`)
}

async function measure(tasker: Tasker, { what, format }: Pick<ExportRequest, "what" | "format">): Promise<void> {
  const heaps: number[] = []
  let longestMs = 0
  let bytes = 0
  const total = rows * (format === "csv" ? 150 : 300)
  const stop = tasker.onDatabaseCall(({ durationMs }) => void (longestMs = Math.max(longestMs, durationMs)))
  const to = new Writable({
    write(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.byteLength
      if (bytes > (heaps.length * total) / SAMPLES) heaps.push(heapMegabytes())
      done()
    },
  })
  const startedAt = performance.now()
  // Its source of metrics is the only thing that a request of metrics needs besides, and none is made here.
  const summary = await tasker.export({ what, format, to } as ExportRequest)
  stop()
  console.log(
    [
      `${what} as ${format}`.padEnd(16),
      `${summary.recordCount.toLocaleString("en")} rows`,
      `${(summary.bytes / 1e6).toFixed(0)} MB`,
      `${seconds(startedAt)} s`,
      `${Math.round((summary.recordCount / (performance.now() - startedAt)) * 1_000).toLocaleString("en")} rows/s`,
      `heap ${heaps.map((heap) => heap.toFixed(1)).join(" ")} MB`,
      `longest statement ${longestMs.toFixed(0)} ms`,
    ].join(" | "),
  )
}

function heapMegabytes(): number {
  gc?.()
  return process.memoryUsage().heapUsed / 1e6
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1)
}
