import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { limitQueue } from "./limit-queue.ts"
import { measureQueues } from "./measure-queues.ts"
import { migrate } from "./migrate.ts"
import { pauseQueue } from "./pause-queue.ts"
import { run } from "./run.ts"
import { at } from "./test-clock.ts"
import { TestStore } from "./test-store.ts"

interface Row {
  readonly name: string
  readonly ready_steps: number
  readonly delayed_steps: number
  readonly oldest_ready: number | null
  readonly live_workers: number
}

describe.each(testDatabases(migrate))("measureQueues on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterAll(async () => await opened.close())

  async function measure(queue: string, now: Date, countLimit = 100): Promise<Row | undefined> {
    const rows = await run<Row>(opened.database, {
      text: "select name, ready_steps, delayed_steps, oldest_ready, live_workers from tasker.measure_queues($1, $2)",
      values: [countLimit, now],
    })
    return rows.find(({ name }) => name === queue)
  }

  it("tells what is ready, what is delayed, and for how long the oldest has been due", async () => {
    const one = await store.define({ only: {} }, { queue: "measured" })
    // Another route to the same queue, and another priority.
    const two = await store.define({ only: {} }, { queue: "measured", priority: 1 })
    const request = (workflowId: number, runAt: Date) => ({ workflow_id: workflowId, input: 1, run_at: runAt })
    await store.createTasks([request(one.workflowId, at(1_000)), request(one.workflowId, at(9_000))])
    await store.createTasks([request(two.workflowId, at(500)), request(two.workflowId, at(60_000))])

    expect(await measure("measured", at(0))).toMatchObject({ ready_steps: 0, delayed_steps: 4, oldest_ready: null })
    expect(await measure("measured", at(10_000))).toEqual({
      name: "measured",
      ready_steps: 3,
      delayed_steps: 1,
      oldest_ready: 9.5,
      live_workers: 0,
    })
  })

  it("counts neither what runs nor what is held, and the workers whose lease holds", async () => {
    const workflow = await store.define({ only: {} }, { queue: "worked" })
    const held = await store.createTask(workflow)
    await store.call("pause_task", [held, null, null])
    await store.createTasks([{ workflow_id: workflow.workflowId, input: 1 }])
    const worker = await store.worker(workflow, { leaseMs: 1_000 })
    expect(await measure("worked", at(0))).toMatchObject({ ready_steps: 1, live_workers: 1 })
    await worker.claimOne()
    expect(await measure("worked", at(500))).toMatchObject({ ready_steps: 0, oldest_ready: null, live_workers: 1 })
    expect(await measure("worked", at(1_500))).toMatchObject({ live_workers: 0 })
  })

  it("counts no further than it was told", async () => {
    const workflow = await store.define({ only: {} }, { queue: "long" })
    const later = await store.define({ only: {} }, { queue: "long" })
    const requests = ({ workflowId }: { workflowId: number }, runAt: Date) =>
      Array.from({ length: 4 }, () => ({ workflow_id: workflowId, input: 1, run_at: runAt }))
    await store.createTasks([...requests(workflow, at(0)), ...requests(later, at(0)), ...requests(later, at(9_000))])
    expect(await measure("long", at(0), 3)).toMatchObject({ ready_steps: 3, delayed_steps: 3 })
    expect(await measure("long", at(0), 6)).toMatchObject({ ready_steps: 6, delayed_steps: 4 })
  })

  it("tells limits and pauses, and lists queues that hold nothing", async () => {
    const workflow = await store.define({ only: {} }, { queue: "quiet" })
    await limitQueue(opened.database, workflow.queue, 7)
    await pauseQueue(opened.database, workflow.queue, true, {})
    await pauseQueue(opened.database, "no_workflow_has_it", true, {})
    const measured = await measureQueues(opened.database, 10)
    expect(measured.find(({ name }) => name === "quiet")).toEqual({
      name: "quiet",
      maxRunning: 7,
      isPaused: true,
      readySteps: 0,
      delayedSteps: 0,
      oldestReadySeconds: null,
      liveWorkers: 0,
    })
    expect(measured.find(({ name }) => name === "no_workflow_has_it")).toMatchObject({ isPaused: true, readySteps: 0 })
  })
})
