import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { testDatabases, type TestDatabase } from "../database/test-database.ts"
import { migrate } from "./migrate.ts"
import { at } from "./test-clock.ts"
import { TestStore } from "./test-store.ts"
import { completed, failed } from "./test-worker.ts"

describe.each(testDatabases(migrate))("recovering on $kind", ({ open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterAll(async () => await opened.close())

  test("hands back an unheard attempt of a step whose attempt before is known", async () => {
    const workflow = await store.define({ only: {} })
    const taskId = await store.createTask(workflow)
    const worker = await store.worker(workflow)
    const first = await worker.claimOne()
    // The same call records the failure and claims the next attempt, and its answer is lost.
    expect((await worker.advance({ outcomes: [failed(first, 0)], now: at(1) })).names).toEqual(["only#2"])

    expect(await worker.recover([first], at(2))).toBe(1)
    expect(await store.states(taskId)).toEqual({ only: "waiting_for_retry" })
    const again = await worker.advance({ outcomes: [failed(first, 0)], now: at(3) })
    expect(again.lost).toHaveLength(1)
    expect(again.names).toEqual(["only#3"])
    await worker.finish(completed(again.claimed[0]!))
    expect(await store.states(taskId)).toEqual({ only: "complete" })
    expect(await store.violations()).toEqual([])
  })
})
