import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { analyzeTask } from "../../core/graph/task-analysis.ts"
import { testDatabase, testDatabases, type TestDatabase } from "../../database/test-database.ts"
import { taskGraph } from "../../store/analytics/task-graph.ts"
import { migrate } from "../../store/migrate.ts"
import { at } from "../../store/test-clock.ts"
import { TestStore } from "../../store/test-store.ts"
import { completed } from "../../store/test-worker.ts"
import type { ClosableClient } from "../create-client.ts"
import { createTestBench } from "../test-bench.ts"
import { failForGood, type KnownTimeline, play, playKnownTimeline, retryIn, rounded } from "./test-timeline.ts"

describe.each(testDatabases(migrate))("analyzeTask on $kind", ({ open }) => {
  let opened: TestDatabase
  let client: ClosableClient
  let timeline: KnownTimeline

  beforeAll(async () => {
    opened = await open()
    timeline = await playKnownTimeline(opened.database)
    client = (await createTestBench(opened.database, [])).client
  })
  afterAll(async () => await opened.close())

  const NO_WAIT = { queueMs: 0, retryMs: 0, operatorMs: 0 }

  it("says where the time of a task went that is done", async () => {
    const found = await client.analyzeTask(timeline.tasks.complete)
    expect(found).toMatchObject({
      taskId: timeline.tasks.complete,
      workflow: { namespace: "test", name: "diamond", version: "1.0.0" },
      state: "complete",
      createdAt: at(0),
      progress: { stepCount: 4, doneCount: 4, percentage: 100 },
      errors: { failedCount: 0, chains: [] },
    })
    expect(rounded(found.criticalPath)).toEqual({
      steps: [
        { ...NO_WAIT, step: "a", queueMs: 100, runMs: 200, totalMs: 300, share: 0.3 },
        { ...NO_WAIT, step: "c", queueMs: 50, runMs: 450, totalMs: 500, share: 0.5 },
        { ...NO_WAIT, step: "d", queueMs: 100, runMs: 100, totalMs: 200, share: 0.2 },
      ],
      totalMs: 1_000,
      queueMs: 250,
      runMs: 750,
      retryMs: 0,
      operatorMs: 0,
      runOnlyMs: 750,
    })
    // From 100 to 1000: a alone 200, b and c together 300, c alone 150, d alone 100; and nothing for 50 and for 100.
    expect(rounded(found.parallelism)).toMatchObject({
      maxRunning: 2,
      busyMs: 1_050,
      wallMs: 900,
      idleMs: 150,
      averageRunning: 1.166667,
      efficiency: 0.583333,
    })
    expect(
      found.nodes.map(({ step, level, readyMs, startMs, endMs }) => [step, level, readyMs, startMs, endMs]),
    ).toEqual([
      ["a", 0, 0, 100, 300],
      ["b", 1, 300, 350, 650],
      ["c", 1, 300, 350, 800],
      ["d", 2, 800, 900, 1_000],
    ])
    expect(found.edges).toHaveLength(4)
  })

  it("says what a failed step blocks, and what its retries cost", async () => {
    const found = await client.analyzeTask(timeline.tasks.failed)
    expect(found).toMatchObject({
      state: "error",
      progress: { doneCount: 2, percentage: 50, states: { error: 1, pending: 1 } },
    })
    expect(rounded(found.criticalPath.steps)).toEqual([
      { ...NO_WAIT, step: "a", runMs: 200, retryMs: 500, totalMs: 700, share: 0.875 },
      { ...NO_WAIT, step: "b", runMs: 100, totalMs: 100, share: 0.125 },
    ])
    expect(found.errors).toMatchObject({
      failedCount: 1,
      retryingCount: 0,
      blockedCount: 1,
      chains: [
        {
          step: "b",
          state: "error",
          error: { code: "BUSY", message: expect.stringContaining("no answer in 5 ms") },
          attempts: 1,
          maxAttempts: 1,
          remainingAttempts: 0,
          nextRetryAt: null,
          blockedSteps: ["d"],
          actions: ["retryStep", "resolveStep", "resolveTask"],
        },
      ],
    })
    expect(found.bottlenecks.map(({ step, kind, openDownstreamCount }) => [step, kind, openDownstreamCount])).toEqual([
      ["b", "failed", 1],
      ["a", "slow", 2],
    ])
    expect((await client.analyzeTask(timeline.tasks.failed, { limit: 1 })).bottlenecks).toHaveLength(1)
  })

  it("says how a task is that has not ended, as of now", async () => {
    const standing = (await taskGraph(opened.database, timeline.tasks.running, at(6_500)))!
    const found = analyzeTask(standing, { taskId: timeline.tasks.running, workflow: standing.workflow }, 10)
    expect(found.at).toEqual(at(6_500))
    expect(rounded(found.criticalPath)).toMatchObject({ totalMs: 500, queueMs: 50, runMs: 450 })
    expect(found.nodes[0]).toMatchObject({ state: "in_progress", attempts: 1, endMs: null, openDownstreamCount: 3 })
    expect(found.bottlenecks).toMatchObject([{ step: "a", kind: "running", totalMs: 500 }])
    expect(found.progress).toMatchObject({ percentage: 0, states: { in_progress: 1, pending: 3 } })
  })

  it("of a cancelled task, nothing holds anything back any more", async () => {
    const found = await client.analyzeTask(timeline.tasks.cancelled)
    expect(found.progress.states).toMatchObject({ cancelled: 4 })
    expect(rounded(found.criticalPath)).toMatchObject({ totalMs: 400, queueMs: 100, runMs: 300 })
    expect(found.bottlenecks).toMatchObject([{ step: "a", kind: "slow" }])
  })

  it("names actions that the client takes, and no others", async () => {
    const { store } = timeline
    const workflow = await store.define({
      first: { maxAttempts: 2 },
      second: { maxAttempts: 2, skippable: true },
      last: { dependsOn: ["first", "second"] },
    })
    const make = async (): Promise<string> =>
      await play(
        await store.worker(workflow, { leaseMs: 3_600_000 }),
        workflow,
        [
          { at: 10, room: 100 },
          { at: 20, ends: { first: failForGood("NO", "no"), second: retryIn(60_000, "LATER", "later") } },
        ],
        store,
        0,
      )
    const act = {
      retryStep: async (task: string, step: string) => await client.retryStep(task, step),
      skipStep: async (task: string, step: string) => await client.skipStep(task, step),
      resolveStep: async (task: string, step: string) => await client.resolveStep(task, step, { result: 1 }),
      resolveTask: async (task: string) => await client.resolveTask(task),
      resumeTask: async (task: string) => await client.resumeTask(task),
    }
    const accepted: string[] = []
    const offered: string[] = []
    for (const chain of (await client.analyzeTask(await make())).errors.chains) {
      for (const action of Object.keys(act) as (keyof typeof act)[]) {
        const task = await make()
        const answer = await act[action](task, chain.step).catch(() => ({ changed: false }))
        if (answer.changed) accepted.push(`${chain.step} ${action}`)
        if (chain.actions.includes(action)) offered.push(`${chain.step} ${action}`)
      }
    }
    expect(offered.toSorted()).toEqual(accepted.toSorted())
    expect(offered.toSorted()).toEqual([
      "first resolveStep",
      "first retryStep",
      "second resolveStep",
      "second retryStep",
      "second skipStep",
    ])
  })

  it("refuses what is no task, and a limit that there is not", async () => {
    await expect(client.analyzeTask("01a2092a-26bf-71fb-91ee-6ee2bdee7450")).rejects.toMatchObject({
      code: "TASKER_TASK_NOT_FOUND",
    })
    await expect(client.analyzeTask("no")).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
    await expect(client.analyzeTask(timeline.tasks.failed, { limit: 0 })).rejects.toMatchObject({
      code: "TASKER_OPTION_INVALID",
    })
  })
})

describe("analyzeTask of a large graph", () => {
  it("of 20 levels of 20 steps, each after all of the level before, finds the one path of 20^20 that took longest", async () => {
    const [width, depth] = [20, 20]
    const opened = await testDatabase("postgres 18", migrate).open()
    const store = new TestStore(opened.database)
    const nameOf = (level: number, index: number) => `s${level}_${index}`
    const all = (level: number) => Array.from({ length: width }, (_, index) => nameOf(level, index))
    const workflow = await store.define(
      Object.fromEntries(
        Array.from({ length: width * depth }, (_, step) => {
          const level = Math.floor(step / width)
          return [nameOf(level, step % width), level === 0 ? {} : { dependsOn: all(level - 1) }]
        }),
      ),
    )
    const worker = await store.worker(workflow)
    const taskId = await store.createTask(workflow, {}, at(0))
    let { claimed } = await worker.advance({ room: width, now: at(0) })
    // Each step takes 10 ms, but that of its level with the number of the level 12.
    for (let level = 0; level < depth; level++) {
      const isSlow = (name: string) => name === nameOf(level, level)
      const outcomes = claimed.map((claim) => completed(claim))
      const start = level * 12
      await worker.advance({
        outcomes: outcomes.filter((_, index) => !isSlow(claimed[index]!.name)),
        room: 0,
        now: at(start + 10),
      })
      const last = outcomes.filter((_, index) => isSlow(claimed[index]!.name))
      claimed = (await worker.advance({ outcomes: last, room: width, now: at(start + 12) })).claimed
    }
    const { client } = await createTestBench(opened.database, [])
    const found = await client.analyzeTask(taskId)
    expect(found.criticalPath.steps.map(({ step }) => step)).toEqual(
      Array.from({ length: depth }, (_, level) => nameOf(level, level)),
    )
    expect(rounded(found.criticalPath)).toMatchObject({ totalMs: 240, runMs: 240, runOnlyMs: 240 })
    expect(found.parallelism).toMatchObject({ maxRunning: width })
    expect(found.edges).toHaveLength(width * width * (depth - 1))
    expect(found.nodes[0]?.downstreamCount).toBe(width * (depth - 1))

    // The same for a period: the last of each level alone held back the next one, for 2 ms.
    const period = { since: at(0), until: at(10_000), sampleSize: 1_000 }
    const { dependencies, measured } = await client.bottlenecks({ ...period, limit: 500 })
    expect(measured).toEqual({ tasks: 1, attempts: width * depth })
    expect(dependencies).toHaveLength(width * (depth - 1))
    expect(new Set(dependencies.map(({ held }) => Math.round(held.totalMs * 1e3) / 1e3))).toEqual(new Set([2]))
    await opened.close()
  })
})
