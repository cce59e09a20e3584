import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { testDatabases, type TestDatabase } from "../../database/test-database.ts"
import { migrate } from "../../store/migrate.ts"
import { at } from "../../store/test-clock.ts"
import { createTestBench } from "../test-bench.ts"
import type { ClosableClient } from "../create-client.ts"
import type { PerformanceFilter } from "./performance.ts"
import { completed } from "../../store/test-worker.ts"
import { failForGood, type KnownTimeline, playKnownTimeline, retryIn, rounded, summaryOf } from "./test-timeline.ts"

describe.each(testDatabases(migrate))("performance on $kind", ({ open }) => {
  let opened: TestDatabase
  let client: ClosableClient
  let timeline: KnownTimeline

  beforeAll(async () => {
    opened = await open()
    timeline = await playKnownTimeline(opened.database)
    client = (await createTestBench(opened.database, [])).client
  })
  afterAll(async () => await opened.close())

  const between = (since: number, until: number): PerformanceFilter => ({
    periods: [{ since: at(since), until: at(until) }],
  })
  const diamond = { namespace: "test", name: "diamond", version: "1.0.0" }
  const single = { namespace: "test", name: "single", version: "1.0.0" }

  it("says what happened in a period, how well it went, and how long it took", async () => {
    const [found, ...more] = await client.performance(between(0, 10_000))
    expect(more).toEqual([])
    expect(found).toMatchObject({ since: at(0), until: at(10_000), workflow: null })
    expect(rounded(found?.tasks)).toEqual(
      rounded({
        created: 5,
        completed: 2,
        failed: 1,
        cancelled: 1,
        resolved: 0,
        createdPerSecond: 0.5,
        completedPerSecond: 0.2,
        completionRate: 2 / 4,
        errorRate: 1 / 4,
        duration: summaryOf(900, 800, 20),
        wait: summaryOf(100, 0, 10),
      }),
    )
    expect(rounded(found?.steps)).toEqual(
      rounded({
        started: 4 + 4 + 1 + 1 + 1,
        completed: 4 + 2 + 1,
        retried: 1,
        failed: 1,
        skipped: 0,
        cancelled: 1,
        completedPerSecond: 0.7,
        errorRate: 2 / 9,
        retrySuccessRate: 1,
        run: summaryOf(200, 300, 450, 100, 100, 100, 100, 50, 300, 20),
        queue: summaryOf(100, 50, 50, 100, 0, 0, 0, 100, 10),
        retry: summaryOf(500),
        measured: { tasks: 4, attempts: 10 },
      }),
    )
  })

  it("counts what happened within the bounds: from the first on, and before the second", async () => {
    const [found] = await client.performance(between(650, 1_000))
    expect(found?.tasks).toMatchObject({
      created: 0,
      completed: 0,
      completionRate: null,
      errorRate: null,
      duration: null,
    })
    // b ended at 650 and c at 800; d began at 900 and ended at 1000. That b and c began before does not matter.
    expect(rounded(found?.steps)).toMatchObject(
      rounded({ started: 1, completed: 2, run: summaryOf(300, 450), queue: summaryOf(50, 50), retry: null }),
    )
  })

  it("measures each workflow by itself when asked to, and one alone by a filter", async () => {
    const both = await client.performance({ ...between(0, 10_000), byWorkflow: true })
    expect(both.map(({ workflow, tasks, steps }) => [workflow, tasks.created, steps.started])).toEqual([
      [diamond, 4, 10],
      [single, 1, 1],
    ])
    expect(rounded(both[1]?.steps.queue)).toEqual(rounded(summaryOf(10)))
    expect(rounded(both[0]?.tasks.duration)).toEqual(rounded(summaryOf(900, 800)))

    const [alone] = await client.performance({ ...between(0, 10_000), workflow: "single" })
    expect(alone).toMatchObject({ workflow: null, tasks: { created: 1 }, steps: { started: 1 } })
    const [other] = await client.performance({ ...between(0, 10_000), namespace: "other" })
    expect(other).toMatchObject({ tasks: { created: 0 }, steps: { measured: { tasks: 0, attempts: 0 } } })
    expect(await client.performance({ ...between(0, 10_000), namespace: "other", byWorkflow: true })).toEqual([])
  })

  it("takes several periods at once; without any, the last 1, 4 and 24 hours", async () => {
    const periods = [
      { since: at(0), until: at(1_500) },
      { since: at(1_500), until: at(3_000) },
    ]
    const found = await client.performance({ periods })
    expect(found.map(({ tasks }) => [tasks.completed, tasks.failed])).toEqual([
      [1, 0],
      [0, 1],
    ])
    const hours = (await client.performance()).map(
      ({ since, until }) => (until.getTime() - since.getTime()) / 3_600_000,
    )
    expect(hours).toEqual([1, 4, 24])
    const [minute] = await client.performance({ periods: [{ lastMs: 60_000 }] })
    expect(minute!.until.getTime() - minute!.since.getTime()).toBe(60_000)
  })

  it("what a stopping worker hands back is no failure, and what a step publishes is no change", async () => {
    const { store } = timeline
    const workflow = await store.define({ only: {} }, { name: "handed_back" })
    const [first, second] = [await store.worker(workflow), await store.worker(workflow)]
    const taskId = await store.createTask(workflow, {}, at(200_000))
    await first.claimOne(at(200_010))
    await store.call("stop_worker", [first.workerId], at(200_030))
    const claim = await second.claimOne(at(200_050))
    await store.database.query({
      text: `
        insert into tasker.transitions (at, task_id, from_state, to_state, step_no, attempt, cause, event)
        values ($1, $2, 'in_progress', 'in_progress', 0, 2, 'published', '{"name": "shop.sold", "payload": null}')`,
      values: [at(200_055), taskId],
    })
    await second.advance({ outcomes: [{ claim, kind: "complete" }], room: 0, now: at(200_060) })

    const filter = { ...between(200_000, 201_000), workflow: "handed_back" }
    const [found] = await client.performance(filter)
    expect(found?.tasks).toMatchObject({ created: 1, completed: 1, failed: 0 })
    expect(rounded(found?.steps)).toMatchObject(
      rounded({
        started: 2,
        completed: 1,
        retried: 0,
        failed: 0,
        errorRate: 0,
        retrySuccessRate: null,
        run: summaryOf(20, 10),
        queue: summaryOf(10, 20),
        retry: null,
      }),
    )
    const period = { since: at(200_000), until: at(201_000), workflow: "handed_back" }
    expect(await client.bottlenecks(period)).toMatchObject({
      retries: { count: 0, completed: 0, failed: 0, successRate: null },
      retriedSteps: [],
      errors: { total: 0 },
    })
    const { criticalPath, nodes } = await client.analyzeTask(taskId)
    expect(rounded(criticalPath)).toMatchObject({ totalMs: 60, queueMs: 30, runMs: 30, retryMs: 0 })
    expect(nodes).toMatchObject([{ attempts: 2, maxAttempts: 4 }])
  })

  it("only an end that followed a failed attempt followed a retry", async () => {
    const { store } = timeline
    const name = "retried"
    const workflow = await store.define({ only: {} }, { name })
    const complete = { only: "complete" as const }
    const retried = { only: retryIn(0, "BUSY", "busy") }
    const fatal = { only: failForGood("NO", "no") }
    // What becomes of each attempt, 1,100 ms apart; "stop" hands it back, "operator" retries the step.
    const run = async (
      createdMs: number,
      ...moves: readonly (typeof complete | typeof retried | typeof fatal | "stop" | "lost" | "operator")[]
    ): Promise<void> => {
      const taskId = await store.createTask(workflow, {}, at(createdMs))
      let worker = await store.worker(workflow, { leaseMs: 1_000, now: at(createdMs) })
      for (const [index, move] of moves.entries()) {
        const nowMs = createdMs + index * 1_100
        if (move === "operator") {
          await store.call("retry_steps", [taskId, null, null, null], at(nowMs))
          continue
        }
        const claim = await worker.claimOne(at(nowMs))
        if (move === "lost") {
          await store.rescue(at(nowMs + 1_050))
        } else if (move === "stop") {
          await store.call("stop_worker", [worker.workerId], at(nowMs + 5))
        } else {
          const { only } = move
          await worker.advance({
            outcomes: [only === "complete" ? completed(claim) : only(claim)],
            room: 0,
            now: at(nowMs + 5),
          })
          continue
        }
        worker = await store.worker(workflow, { leaseMs: 3_600_000, now: at(nowMs) })
      }
      await store.call("stop_worker", [worker.workerId], at(createdMs + 9_000))
    }
    await run(400_000, "stop", complete)
    await run(410_000, "stop", "stop", fatal)
    await run(420_000, fatal, "operator", complete)
    await run(430_000, "stop", retried, "stop", complete)
    await run(440_000, retried, retried, fatal)
    await run(450_000, "lost", complete)
    await run(460_000, retried, fatal, "operator", complete)
    await run(470_000, fatal, "operator", retried, "stop", complete)

    const within = async (since: number, until: number) => {
      const { retries, retriedSteps } = await client.bottlenecks({ workflow: name, since: at(since), until: at(until) })
      const [{ steps } = { steps: null }] = await client.performance({ workflow: name, ...between(since, until) })
      const [step] = retriedSteps
      return {
        ...retries,
        retried: steps?.retried,
        rate: steps?.retrySuccessRate,
        step: step && [step.retries, step.tasks, step.retriedAndCompleted, step.retriedAndFailed],
      }
    }
    const none = { count: 0, completed: 0, failed: 0, successRate: null, retried: 0, rate: null, step: undefined }
    expect(await within(400_000, 430_000)).toEqual(none)
    expect(await within(400_000, 440_000)).toEqual({
      count: 1,
      completed: 1,
      failed: 0,
      successRate: 1,
      retried: 1,
      rate: 1,
      step: [1, 1, 1, 0],
    })
    expect(await within(400_000, 460_000)).toEqual({
      count: 4,
      completed: 2,
      failed: 1,
      successRate: 2 / 3,
      retried: 4,
      rate: 2 / 3,
      step: [4, 3, 2, 1],
    })
    // From after the attempt failed on: the retry was before the period, its end is within.
    expect(await within(432_000, 440_000)).toEqual({ ...none, completed: 1, successRate: 1, rate: 1 })
    // Before it ended.
    expect(await within(430_000, 433_300)).toMatchObject({ count: 1, completed: 0, rate: null, step: [1, 1, 0, 0] })
    // The attempts that an operator gave it start over.
    expect(await within(460_000, 470_000)).toMatchObject({ count: 1, completed: 0, failed: 1, step: [1, 1, 0, 1] })
    expect(await within(470_000, 480_000)).toMatchObject({ count: 1, completed: 1, failed: 0, step: [1, 1, 1, 0] })
    // Each workflow by itself: the same numbers.
    const [only] = await client.performance({ workflow: name, byWorkflow: true, ...between(400_000, 460_000) })
    expect(only?.steps).toMatchObject({ retried: 4, retrySuccessRate: 2 / 3 })
  })

  it("an attempt whose worker was lost has failed when its lease had run out", async () => {
    const { store } = timeline
    const workflow = await store.define({ only: {} }, { name: "lost" })
    const worker = await store.worker(workflow, { leaseMs: 1_000, now: at(300_000) })
    await store.createTask(workflow, {}, at(300_000))
    await worker.claimOne(at(300_010))
    await store.rescue(at(301_500))
    const bounds = { since: at(300_000), until: at(302_000) }
    const [found] = await client.performance({ workflow: "lost", periods: [bounds] })
    expect(rounded(found?.steps)).toMatchObject(
      rounded({ started: 1, retried: 1, errorRate: 1, run: summaryOf(1_490) }),
    )
    expect((await client.bottlenecks({ ...bounds, workflow: "lost" })).errors.patterns).toMatchObject([
      { code: "TASKER_WORKER_LOST", message: "worker # was lost while it ran attempt #", count: 1, final: 0 },
    ])
  })

  it("measures a sample of whole tasks when there is more than was asked to look at", async () => {
    const { store } = timeline
    const wide = await store.define(Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`s${index}`, {}])), {
      name: "wide",
    })
    const worker = await store.worker(wide)
    const since = 100_000
    for (let task = 0; task < 5; task++) {
      await store.createTask(wide, {}, at(since))
      const { claimed } = await worker.advance({ room: 400, now: at(since) })
      // Task n has steps of n milliseconds.
      await worker.advance({
        outcomes: claimed.map((claim) => ({ claim, kind: "complete" as const })),
        room: 0,
        now: at(since + task),
      })
    }
    const filter = { ...between(since, since + 1_000), workflow: "wide" }
    const [sampled] = await client.performance({ ...filter, sampleSize: 1_000 })
    expect(sampled?.steps).toMatchObject({ completed: 2_000, measured: { tasks: 2, attempts: 800 } })
    expect(await client.performance({ ...filter, sampleSize: 1_000 })).toEqual([sampled])
    const [whole] = await client.performance(filter)
    expect(whole?.steps).toMatchObject({ measured: { tasks: 5, attempts: 2_000 }, run: { averageMs: 2, maxMs: 4 } })
  })

  it("ends every period without an end at one moment", async () => {
    const late = {
      since: new Date(0),
      // The clock goes on until it is read.
      get until() {
        for (const begun = Date.now(); Date.now() === begun;);
        return undefined
      },
    }
    const found = await client.performance({ periods: [{ lastMs: 60_000 }, late] })
    expect(new Set(found.map(({ until }) => until.getTime())).size).toBe(1)
  })

  it("refuses periods and sizes that there are not", async () => {
    for (const filter of [
      { periods: [] },
      { periods: [{ lastMs: 0 }] },
      { periods: [{ lastMs: 5, since: at(0) }] },
      { periods: [{ since: at(0), unitl: at(1) }] },
      { periods: [{ since: at(5), until: at(5) }] },
      { periods: ["1 hour"] },
      { byWorkflow: "yes" },
      { sampleSize: 999 },
      { timeoutMs: 0 },
      { workflwo: "diamond" },
    ]) {
      // What a user without a compiler may pass.
      await expect(client.performance(filter as PerformanceFilter)).rejects.toMatchObject({
        code: "TASKER_OPTION_INVALID",
      })
    }
  })
})
