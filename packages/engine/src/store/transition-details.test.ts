import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { migrate } from "./migrate.ts"
import { run } from "./run.ts"
import { at } from "./test-clock.ts"
import { TestStore, type TestWorkflow } from "./test-store.ts"
import { completed, failed, failedForGood, type TestWorker } from "./test-worker.ts"

interface Details {
  readonly step: string | null
  readonly to_state: string
  readonly attempt: number | null
  readonly max_attempts: number | null
  readonly duration_ms: number | null
  readonly delay_ms: number | null
}

describe.each(testDatabases(migrate))("tasker.transition_details on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore
  let workflow: TestWorkflow
  let worker: TestWorker

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
    workflow = await store.define({ only: { maxAttempts: 2 } })
    worker = await store.worker(workflow)
  })
  afterEach(async () => expect(await store.violations()).toEqual([]))
  afterAll(async () => await opened.close())

  async function detailsOf(taskId: string): Promise<readonly Details[]> {
    return await run<Details>(opened.database, {
      text: "select * from tasker.transition_details where task_id = $1 order by transition_id",
      values: [taskId],
    })
  }

  /** The rows of the step, in short. */
  async function attemptsOf(taskId: string): Promise<readonly string[]> {
    const rows = (await detailsOf(taskId)).filter(({ step }) => step !== null)
    return rows.map((row) => `${row.attempt}/${row.max_attempts} ${row.to_state} ${row.duration_ms ?? "-"}`)
  }

  it("how long each attempt took, and the task, once everything is over", async () => {
    const taskId = await store.createTask(workflow)
    await worker.advance({ outcomes: [failed(await worker.claimOne(at(10)))], room: 0, now: at(12.5) })
    await store.call("pause_task", [taskId, "ann", null], at(13))
    await store.call("resume_task", [taskId, "ann", null], at(14))
    await worker.advance({ outcomes: [completed(await worker.claimOne(at(20)))], room: 0, now: at(27) })
    expect(await attemptsOf(taskId)).toEqual([
      "1/2 in_progress -",
      "1/2 waiting_for_retry 2",
      "2/2 in_progress -",
      "2/2 complete 7",
    ])
    const ofTask = (await detailsOf(taskId)).filter(({ step }) => step === null)
    expect(ofTask.map(({ to_state: to, duration_ms: ms }) => [to, ms])).toEqual([
      ["pending", null],
      ["in_progress", null],
      ["in_progress", null],
      ["in_progress", null],
      ["complete", 17],
    ])
  })

  it("how many attempts the step had then, although an operator gave it more", async () => {
    const taskId = await store.createTask(workflow)
    await worker.finish(failedForGood(await worker.claimOne()))
    await store.call("retry_steps", [taskId, null, "ann", null])
    await worker.finish(failed(await worker.claimOne()))
    await worker.finish(failed(await worker.claimOne()))
    await store.call("retry_steps", [taskId, null, "ann", null])
    const standing = ["4/5 in_progress -"]
    const before = [
      "1/2 in_progress -",
      "1/2 error 0",
      "1/3 pending -",
      "2/3 in_progress -",
      "2/3 waiting_for_retry 0",
      "3/3 in_progress -",
      "3/3 error 0",
      "3/5 pending -",
    ]
    expect(await attemptsOf(taskId)).toEqual(before)
    const claim = await worker.claimOne()
    expect(await attemptsOf(taskId)).toEqual([...before, ...standing])
    await worker.finish(completed(claim))
    expect(await attemptsOf(taskId)).toEqual([...before, ...standing, "4/5 complete 0"])
  })

  it("an attempt that was handed back does not count among them", async () => {
    const taskId = await store.createTask(workflow)
    const leaving = await store.worker(workflow)
    await leaving.claimOne()
    await leaving.stop(at(3))
    for (const _attempt of [2, 3]) {
      const outcomes = [failed(await worker.claimOne(at(3)))]
      await worker.advance({ outcomes, room: 0, now: at(3) })
    }
    expect(await attemptsOf(taskId)).toEqual([
      "1/2 in_progress -",
      "1/3 waiting_for_retry 3",
      "2/3 in_progress -",
      "2/3 waiting_for_retry 0",
      "3/3 in_progress -",
      "3/3 error 0",
    ])
  })

  it("how long a retry waits, while it does", async () => {
    const taskId = await store.createTask(workflow)
    await worker.finish(failed(await worker.claimOne(), 5_000))
    const delays = async () => (await detailsOf(taskId)).map(({ delay_ms: ms }) => ms).filter((ms) => ms !== null)
    expect(await delays()).toEqual([5_000])
    await worker.finish(completed(await worker.claimOne(at(5_000))))
    expect(await delays()).toEqual([])
  })

  it("says what failed without its stack, and what was published", async () => {
    const taskId = await store.createTask(workflow)
    const claim = await worker.claimOne()
    const value = { code: "E1", message: "no", stack: "at a line" }
    await worker.finish({ claim, kind: "error", value, events: [{ name: "test.event", payload: [1] }] })
    expect(await detailsOf(taskId)).toMatchObject([
      {},
      {},
      {},
      { published: { name: "test.event", body: [1] }, error: null, duration_ms: null },
      { published: null, error: { name: "Error", code: "E1", message: "no" } },
      {},
    ])
    expect((await detailsOf(taskId))[4]).not.toHaveProperty("error.stack")
  })

  it("a task without a correlation id is its own", async () => {
    const [own, given] = [await store.createTask(workflow), await store.createTask(workflow, { correlation_id: "c" })]
    expect((await detailsOf(own))[0]).toMatchObject({ correlation_id: own })
    expect((await detailsOf(given))[0]).toMatchObject({ correlation_id: "c", namespace: "test", version: "1.0.0" })
  })
})
