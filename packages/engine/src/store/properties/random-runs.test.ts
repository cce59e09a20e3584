import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../../database/test-database.ts"
import { migrate } from "../migrate.ts"
import { TestStore } from "../test-store.ts"
import { playRun } from "./play-run.ts"
import { randomRuns } from "./random-run.ts"

// Another one in every run of the suite. TASKER_SEED brings one back.
const seed = Number(process.env["TASKER_SEED"] ?? Date.now() % 1_000_000)
const kinds = testDatabases(migrate).filter(({ kind }) => kind !== "postgres 14")

describe.each(kinds)(`random runs on $kind, seed ${seed}`, ({ open }) => {
  let opened: TestDatabase
  let store: TestStore

  beforeAll(async () => {
    opened = await open()
    store = new TestStore(opened.database)
  })
  afterAll(async () => await opened.close())

  const check = async (maxSteps: number, maxCommands: number, numRuns: number, limitMs: number) => {
    // A slow machine plays fewer of them, and no fewer than one.
    const endAt = performance.now() + limitMs
    let isPlayed = false
    await fc.assert(
      fc.asyncProperty(randomRuns(maxSteps, maxCommands), async (run) => {
        if (isPlayed && performance.now() > endAt) return
        const tasks = await playRun(store, run)
        expect(await store.violations()).toEqual([])
        for (const { model } of tasks) {
          expect(["complete", "error", "cancelled", "resolved_manually"]).toContain(model.state)
        }
        isPlayed = true
        // The next run finds nothing of this one, nor does the search for violations.
        await opened.database.query({
          text: "truncate tasker.tasks, tasker.step_records, tasker.step_queue, tasker.transitions, tasker.workers",
        })
      }),
      { seed, numRuns },
    )
  }

  it("small workflows under every kind of interference end as the model says", async () => {
    await check(6, 40, 60, 4_500)
  }, 60_000)

  it("workflows of up to 60 steps end as the model says", async () => {
    await check(60, 60, 25, 4_000)
  }, 60_000)
})
