import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../../database/test-database.ts"
import { migrate } from "../../store/migrate.ts"
import { at } from "../../store/test-clock.ts"
import type { ClosableClient } from "../create-client.ts"
import { createTestBench } from "../test-bench.ts"
import type { BottleneckFilter } from "./bottlenecks.ts"
import { type KnownTimeline, play, playKnownTimeline, rounded, summaryOf } from "./test-timeline.ts"

describe.each(testDatabases(migrate))("bottlenecks on $kind", ({ open }) => {
  let opened: TestDatabase
  let client: ClosableClient
  let timeline: KnownTimeline

  beforeAll(async () => {
    opened = await open()
    timeline = await playKnownTimeline(opened.database)
    client = (await createTestBench(opened.database, [])).client
  })
  afterAll(async () => await opened.close())

  const workflow = { namespace: "test", name: "diamond", version: "1.0.0" }
  const period = { since: at(0), until: at(10_000) }

  it("lists what took longest: tasks, steps, and the steps of a workflow together", async () => {
    const { tasks } = timeline
    const found = await client.bottlenecks({ ...period, limit: 2 })
    expect(found).toMatchObject(period)
    expect(found.slowestTasks.map(({ taskId, durationMs }) => [taskId, durationMs])).toEqual([
      [tasks.complete, 900],
      [tasks.failed, 800],
    ])
    expect(found.slowestSteps.map(({ step, durationMs }) => [step, durationMs])).toEqual([
      ["c", 450],
      ["b", 300],
    ])
    expect(rounded(found.steps)).toEqual(
      rounded([
        {
          workflow,
          step: "a",
          attempts: 4,
          totalMs: 200 + 100 + 100 + 300 + (100 + 0 + 100) + 500,
          run: summaryOf(200, 100, 100, 300),
          queue: summaryOf(100, 0, 100),
          retry: summaryOf(500),
        },
        {
          workflow,
          step: "c",
          attempts: 2,
          totalMs: 450 + 50 + 50,
          run: summaryOf(450, 50),
          queue: summaryOf(50, 0),
          retry: null,
        },
      ]),
    )
    expect(rounded(found.time)).toEqual(
      rounded({
        run: summaryOf(200, 300, 450, 100, 100, 100, 100, 50, 300, 20),
        queue: summaryOf(100, 50, 50, 100, 0, 0, 0, 100, 10),
        retry: summaryOf(500),
      }),
    )
    expect(found.measured).toEqual({ tasks: 4, attempts: 10 })
  })

  it("says which dependency alone kept a step waiting, and for how long", async () => {
    const { dependencies } = await client.bottlenecks(period)
    // a held b and c from when it was ready itself until it was done, after its retry too: 300 in the first task, 700 in
    // the second. Of those that d waited for, c ended last: 150 after b.
    expect(rounded(dependencies)).toEqual(
      rounded([
        { workflow, step: "b", dependsOn: "a", held: summaryOf(300, 700) },
        { workflow, step: "c", dependsOn: "a", held: summaryOf(300, 700) },
        { workflow, step: "d", dependsOn: "c", held: summaryOf(150) },
      ]),
    )
  })

  it("a dependency holds a step from when it is ready itself, not from when the task was created", async () => {
    const { store } = timeline
    const chain = await store.define({ one: {}, two: { dependsOn: ["one"] }, three: { dependsOn: ["two"] } })
    const moves = [
      { at: 20_010, room: 1 },
      { at: 20_100, ends: { one: "complete" }, room: 1 },
      { at: 20_150, ends: { two: "complete" }, room: 1 },
      { at: 20_170, ends: { three: "complete" } },
    ] as const
    await play(await store.worker(chain), chain, moves, store, 20_000)
    const { dependencies } = await client.bottlenecks({ since: at(20_000), until: at(21_000) })
    expect(dependencies.map(({ step, dependsOn, held }) => rounded([step, dependsOn, held.totalMs]))).toEqual([
      ["two", "one", 100],
      ["three", "two", 50],
    ])
  })

  it("groups errors that differ in ids and numbers alone, and counts retries and what came of them", async () => {
    const found = await client.bottlenecks(period)
    expect(found.errors).toEqual({
      total: 2,
      patterns: [
        {
          code: "BUSY",
          message: "no answer in # ms for #",
          latest: "no answer in 5 ms for 01a2092a-26bf-7389-a7a5-22ca89bf4b5f",
          count: 2,
          tasks: 1,
          final: 1,
          firstAt: at(2_100),
          lastAt: at(2_800),
          share: 1,
        },
      ],
    })
    expect(found.retries).toEqual({ count: 1, completed: 1, failed: 0, successRate: 1 })
    expect(found.retriedSteps).toEqual([
      { workflow, step: "a", retries: 1, tasks: 1, retriedAndCompleted: 1, retriedAndFailed: 0 },
    ])
    const [early] = (await client.bottlenecks({ since: at(0), until: at(2_100) })).errors.patterns
    expect(early).toBeUndefined()
  })

  it("has percentiles, and histograms with the bounds that were asked for", async () => {
    const { distribution } = await client.bottlenecks({ ...period, boundsMs: [50, 100, 300] })
    expect(rounded(distribution)).toEqual(
      rounded({
        taskDuration: summaryOf(900, 800, 20),
        tasks: { boundsMs: [50, 100, 300], counts: [1, 0, 0, 2] },
        // 20 | 50 | 100 ×4, 200 | 300 ×2, 450
        runs: { boundsMs: [50, 100, 300], counts: [1, 1, 5, 3] },
        queues: { boundsMs: [50, 100, 300], counts: [4, 2, 3, 0] },
      }),
    )
    const nothing = await client.bottlenecks({ ...period, namespace: "other", boundsMs: [1] })
    expect(nothing.distribution).toEqual({
      taskDuration: null,
      tasks: { boundsMs: [1], counts: [0, 0] },
      runs: { boundsMs: [1], counts: [0, 0] },
      queues: { boundsMs: [1], counts: [0, 0] },
    })
    expect(nothing).toMatchObject({ steps: [], dependencies: [], findings: [], errors: { total: 0, patterns: [] } })
  })

  it("finds what crosses a threshold, says which, and nothing when there is too little to say", async () => {
    expect((await client.bottlenecks(period)).findings).toEqual([])
    const thresholds = { minCount: 1, queueShare: 0.4, retryShare: 0.25, failureRate: 0.25, timeShare: 0.5 }
    const { findings, thresholds: stated } = await client.bottlenecks({ ...period, thresholds })
    expect(stated).toEqual({ ...thresholds, errorShare: 0.5 })
    expect(findings.map(({ kind, step, value, count }) => rounded([kind, step, value, count]))).toEqual(
      rounded([
        ["failure_rate", null, 1 / 4, 4],
        ["error_share", null, 1, 2],
        ["retry_share", "a", 1 / 4, 4],
        ["time_share", "a", 1_400 / 2_630, 4],
        ["queue_share", "d", 1 / 2, 1],
      ]),
    )
    expect(findings.map(({ message }) => message)).toEqual([
      "1 of 4 tasks that ended failed (25 %; from 25 % on)",
      "2 of 2 errors are BUSY: no answer in # ms for # (100 %; from 50 % on)",
      '1 of 4 attempts of step "a" of test.diamond@1.0.0 followed a failed one (25 %; from 25 % on)',
      'step "a" of test.diamond@1.0.0 took 1400 ms of the 2630 ms of all steps, waits included (53.2 %; from 50 % on)',
      'step "d" of test.diamond@1.0.0 waited 100 ms in its queue and ran 100 ms, 1 attempts together (50 %; from 40 % on)',
    ])
    const off = {
      minCount: 1,
      queueShare: null,
      retryShare: null,
      failureRate: null,
      errorShare: null,
      timeShare: null,
    }
    expect((await client.bottlenecks({ ...period, thresholds: off })).findings).toEqual([])
  })

  it("refuses what it does not take", async () => {
    for (const filter of [
      { limit: 0 },
      { sampleSize: 1 },
      { timeoutMs: 3_600_001 },
      { boundsMs: [] },
      { boundsMs: [5, 5] },
      { boundsMs: [0, 5] },
      { boundsMs: [1, Number.NaN] },
      { thresholds: { queueShare: 2 } },
      { thresholds: { minCount: 0 } },
      { thresholds: { queueShrae: 0.1 } },
      { thresholds: [] },
      { since: at(5), until: at(1) },
    ]) {
      // What a user without a compiler may pass.
      await expect(client.bottlenecks(filter as BottleneckFilter)).rejects.toMatchObject({
        code: "TASKER_OPTION_INVALID",
      })
    }
  })
})
