import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { migrate } from "./migrate.ts"
import { at } from "./test-clock.ts"
import { TestStore } from "./test-store.ts"
import { completed, failed } from "./test-worker.ts"

const HOUR_MS = 3_600_000

describe.each(testDatabases(migrate))("time on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterAll(async () => await opened.close())

  it("P12: a task that waits for days runs in a test at once, the same way each time", async () => {
    const workflow = await store.define({ first: {}, second: { dependsOn: ["first"] } })
    const taskId = await store.createTask(workflow, { run_at: at(24 * HOUR_MS) })
    const worker = await store.worker(workflow)
    const woken: number[] = []
    let nowMs = 0
    // An in-memory queue would be asked when its next entry is due; `next` says so here.
    while ((await store.task(taskId)).state !== "complete") {
      const { claimed, nextMs } = await worker.advance({ now: at(nowMs) })
      const outcomes = claimed.map((claim) =>
        claim.attempt < 3 ? failed(claim, claim.attempt * HOUR_MS) : completed(claim, claim.attempt),
      )
      if (outcomes.length > 0) await worker.advance({ outcomes, room: 0, now: at(nowMs) })
      else {
        nowMs += nextMs ?? Number.NaN
        woken.push(nowMs / HOUR_MS)
      }
    }
    expect(woken).toEqual([24, 25, 27, 28, 30])
    expect(await store.task(taskId)).toMatchObject({ started_at: at(24 * HOUR_MS), finished_at: at(30 * HOUR_MS) })
  })

  it("is the same in every time zone of the session", async () => {
    const workflow = await store.define({ only: {} })
    await opened.database.transaction(async (tx) => {
      await tx.query({ text: "set local time zone 'Pacific/Kiritimati'" })
      await store.createTasks(
        [{ workflow_id: workflow.workflowId, input: 1, run_at: "2030-01-01T05:00:00Z" }],
        at(0),
        tx,
      )
      await store.createTasks(
        [{ workflow_id: workflow.workflowId, input: 1, run_at: "2030-01-01T05:00:00+02:00" }],
        at(0),
        tx,
      )
    })
    const worker = await store.worker(workflow)
    expect(await worker.advance({ now: at(0) })).toMatchObject({ claimed: [], nextMs: 3 * HOUR_MS })
    expect(await worker.claim(10, at(3 * HOUR_MS))).toHaveLength(1)
    expect(await worker.claim(10, at(5 * HOUR_MS))).toHaveLength(1)
  })
})
