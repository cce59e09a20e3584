import { afterAll, expect, test } from "vitest"
import type { Tasker } from "../tasker.ts"
import { createTestTasker } from "../testing.ts"
import { collectExamples } from "./test-examples.ts"
import { recordEvents } from "./test-recorder.ts"

const examples = collectExamples()
let tasker: Tasker

afterAll(async () => await tasker.close())

test("a worker that finds nothing says so, once for each time that it looked", async () => {
  tasker = await createTestTasker({ worker: false })
  const recorded = recordEvents(tasker)
  const worker = await tasker.startWorker({ pollMs: 3_600_000, concurrency: 4, lanes: 1 })
  const event = await recorded.once("workflow.no_viable_steps")
  expect(event.payload).toEqual({ workerId: worker.workerId, room: 4 })
  examples.keep(recorded.all, { "workflow.no_viable_steps": 1 })
  worker.wake()
  await recorded.until("workflow.no_viable_steps", 2)
  expect(recorded.of("workflow.no_viable_steps")).toHaveLength(2)
})

test("closing lets a slow subscriber be told all but the end while the database is there", async () => {
  const other = await createTestTasker({ worker: false })
  const told: unknown[] = []
  other.events.on("queue.*", async ({ payload }) => {
    await new Promise(setImmediate)
    told.push([payload.queue, (await other.listTasks()).tasks.length])
  })
  await other.pauseQueue("one")
  await other.pauseQueue("two")
  await other.close()
  expect(told).toEqual([
    ["one", 0],
    ["two", 0],
  ])
})

test("the docs show this event", () => examples.compare("idle"))
