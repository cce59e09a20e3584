import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { StepState, TaskState } from "../state.ts"
import type { StandingStep, StandingTask } from "./standing-task.ts"
import { analyzeTask, type TaskAnalysis } from "./task-analysis.ts"
import type { StepChange } from "./timeline.ts"

const identity = { taskId: "t", workflow: { namespace: "n", name: "w", version: "1.0.0" } }

const createdAt = new Date("2030-01-01T00:00:00Z")

function step(name: string, parents: readonly number[], more: Partial<StandingStep> = {}): StandingStep {
  return {
    name,
    parents,
    skippable: false,
    state: "complete",
    attempts: 1,
    maxAttempts: 3,
    dueMs: null,
    error: null,
    ...more,
  }
}

function change(index: number, to: StepState, atMs: number, from: StepState = "pending"): StepChange {
  return { step: index, from, to, atMs, isHandedBack: false }
}

function ran(index: number, startMs: number, endMs: number, to: StepState = "complete"): readonly StepChange[] {
  return [change(index, "in_progress", startMs), change(index, to, endMs, "in_progress")]
}

function analyze(task: Partial<StandingTask>, limit = 10): TaskAnalysis {
  const state: TaskState = "complete"
  const whole = { state, isPaused: false, createdAt, finishedMs: null, nowMs: 100, steps: [], changes: [], ...task }
  return analyzeTask(whole, identity, limit)
}

describe(analyzeTask, () => {
  test("of a diamond that is done, says what took its time", () => {
    const found = analyze({
      finishedMs: 100,
      nowMs: 5_000,
      steps: [step("start", []), step("left", [0]), step("right", [0]), step("end", [1, 2])],
      changes: [...ran(0, 10, 20), ...ran(1, 20, 70), ...ran(2, 25, 40), ...ran(3, 75, 100)],
    })
    expect(found).toMatchObject({
      ...identity,
      state: "complete",
      createdAt,
      at: new Date(createdAt.getTime() + 5_000),
    })
    expect(found.progress).toMatchObject({
      stepCount: 4,
      doneCount: 4,
      percentage: 100,
      states: { complete: 4, error: 0 },
    })
    expect(found.criticalPath).toEqual({
      steps: [
        { step: "start", queueMs: 10, runMs: 10, retryMs: 0, operatorMs: 0, totalMs: 20, share: 0.2 },
        { step: "left", queueMs: 0, runMs: 50, retryMs: 0, operatorMs: 0, totalMs: 50, share: 0.5 },
        { step: "end", queueMs: 5, runMs: 25, retryMs: 0, operatorMs: 0, totalMs: 30, share: 0.3 },
      ],
      totalMs: 100,
      queueMs: 15,
      runMs: 85,
      retryMs: 0,
      operatorMs: 0,
      runOnlyMs: 85,
    })
    expect(found.parallelism).toMatchObject({
      maxRunning: 2,
      busyMs: 100,
      wallMs: 90,
      idleMs: 5,
      efficiency: 100 / 180,
    })
    expect(found.parallelism.levels.map(({ stepCount, doneCount }) => [stepCount, doneCount])).toEqual([
      [1, 1],
      [2, 2],
      [1, 1],
    ])
    expect(found.nodes[2]).toEqual({
      step: "right",
      level: 1,
      state: "complete",
      attempts: 1,
      maxAttempts: 3,
      readyMs: 20,
      startMs: 25,
      endMs: 40,
      queueMs: 5,
      runMs: 15,
      retryMs: 0,
      operatorMs: 0,
      isOnCriticalPath: false,
      downstreamCount: 1,
      openDownstreamCount: 0,
    })
    expect(found.edges).toEqual([
      { from: "start", to: "left" },
      { from: "start", to: "right" },
      { from: "left", to: "end" },
      { from: "right", to: "end" },
    ])
    expect(found.bottlenecks.map(({ step: name, kind, totalMs, share }) => [name, kind, totalMs, share])).toEqual([
      ["left", "slow", 50, 0.5],
      ["end", "slow", 30, 0.3],
      ["start", "slow", 20, 0.2],
    ])
    expect(found.errors).toEqual({ failedCount: 0, retryingCount: 0, blockedCount: 0, chains: [] })
  })

  const broken = { code: "BROKEN", message: "no" }
  const failing: Partial<StandingTask> = {
    state: "in_progress",
    steps: [
      step("a", []),
      step("b", [0], { state: "error", error: broken, maxAttempts: 1 }),
      step("c", [0], { state: "waiting_for_retry", dueMs: 150, error: broken, skippable: true }),
      step("d", [1], { state: "pending", attempts: 0 }),
      step("e", [1, 2], { state: "pending", attempts: 0 }),
      step("f", [4], { state: "pending", attempts: 0 }),
      step("g", [0], { state: "in_progress" }),
      step("h", [0], { state: "pending", attempts: 0, dueMs: 10 }),
    ],
    changes: [
      ...ran(0, 0, 10),
      ...ran(1, 10, 30, "error"),
      ...ran(2, 10, 40, "waiting_for_retry"),
      change(6, "in_progress", 60),
    ],
  }

  test("of each step that failed, says what it blocks, when it is tried again, and what somebody may do", () => {
    const { errors } = analyze(failing)
    expect(errors).toEqual({
      failedCount: 1,
      retryingCount: 1,
      blockedCount: 3,
      chains: [
        {
          step: "b",
          state: "error",
          error: broken,
          attempts: 1,
          maxAttempts: 1,
          remainingAttempts: 0,
          nextRetryAt: null,
          blockedCount: 3,
          blockedSteps: ["d", "e", "f"],
          actions: ["retryStep", "resolveStep"],
        },
        {
          step: "c",
          state: "waiting_for_retry",
          error: broken,
          attempts: 1,
          maxAttempts: 3,
          remainingAttempts: 2,
          nextRetryAt: new Date(createdAt.getTime() + 150),
          blockedCount: 2,
          blockedSteps: ["e", "f"],
          actions: ["retryStep", "skipStep", "resolveStep"],
        },
      ],
    })
    expect(analyze({ ...failing, state: "error", isPaused: true }).errors.chains[0]?.actions).toEqual([
      "retryStep",
      "resolveStep",
      "resolveTask",
      "resumeTask",
    ])
    for (const state of ["cancelled", "resolved_manually"] as const) {
      expect(analyze({ ...failing, state }).errors.chains[0]?.actions).toEqual([])
    }
  })

  test("what holds most steps back comes first, and nothing holds back what is cancelled or resolved", () => {
    const summary = ({ bottlenecks }: TaskAnalysis) =>
      bottlenecks.map(({ step: name, kind, openDownstreamCount, totalMs }) => [
        name,
        kind,
        openDownstreamCount,
        totalMs,
      ])
    expect(summary(analyze(failing))).toEqual([
      ["b", "failed", 3, 20],
      ["c", "retrying", 2, 90],
      ["g", "running", 0, 90],
      ["h", "queued", 0, 90],
      ["a", "slow", 7, 10],
    ])
    expect(summary(analyze(failing, 2))).toHaveLength(2)
    expect(summary(analyze({ ...failing, state: "resolved_manually" })).map(([, kind]) => kind)).toEqual([
      "slow",
      "slow",
    ])
  })

  test("a step that a stopping worker handed back has not failed: it waits in its queue", () => {
    const handedBack = { ...change(0, "waiting_for_retry", 5, "in_progress"), isHandedBack: true }
    const found = analyze({
      state: "in_progress",
      steps: [step("a", [], { state: "waiting_for_retry", dueMs: 5 })],
      changes: [change(0, "in_progress", 1), handedBack],
    })
    expect(found.errors).toMatchObject({ failedCount: 0, retryingCount: 0, chains: [] })
    expect(found.bottlenecks).toMatchObject([{ step: "a", kind: "queued", queueMs: 96, retryMs: 0 }])
  })

  test("a step that can go on by itself has no end yet; one that failed has", () => {
    const { nodes } = analyze(failing)
    expect(nodes.map(({ endMs }) => endMs)).toEqual([10, 30, null, null, null, null, null, null])
    expect(nodes.map(({ readyMs }) => readyMs)).toEqual([0, 10, 10, null, null, null, 10, 10])
  })

  test("a task without steps is done, and took no time", () => {
    expect(analyze({ finishedMs: 0 })).toMatchObject({
      progress: { stepCount: 0, percentage: 100 },
      criticalPath: { steps: [], totalMs: 0 },
      parallelism: { maxRunning: 0, levels: [] },
      bottlenecks: [],
    })
  })

  test("a step that took no time has no share of a path that took none", () => {
    const found = analyze({ finishedMs: 0, steps: [step("a", [])], changes: ran(0, 0, 0) })
    expect(found.criticalPath).toMatchObject({ totalMs: 0, steps: [{ step: "a", totalMs: 0, share: 0 }] })
  })

  test("whatever the graph, as many workers as you like: the critical path takes all of the time of the task", () => {
    const graphs = fc.tuple(
      fc.array(
        fc.record({ parents: fc.array(fc.nat(1_000), { maxLength: 3 }), runMs: fc.nat(50), retryMs: fc.nat(20) }),
        { minLength: 1, maxLength: 30 },
      ),
      fc.integer({ min: 1, max: 4 }),
    )
    fc.assert(
      fc.property(graphs, ([picks, workers]) => {
        const parents = picks.map(({ parents: own }, index) =>
          index === 0 ? [] : [...new Set(own.map((pick) => pick % index))],
        )
        const { changes, endMs } = play(parents, picks, workers)
        const found = analyze({
          finishedMs: endMs,
          steps: parents.map((own, index) => step(`s${index}`, own)),
          changes,
        })
        expect(found.criticalPath.totalMs).toBe(endMs)
        const { queueMs, runMs, retryMs, operatorMs } = found.criticalPath
        expect(queueMs + runMs + retryMs + operatorMs).toBe(endMs)
        expect(found.criticalPath.runOnlyMs).toBeLessThanOrEqual(endMs)
        expect(found.parallelism.maxRunning).toBeLessThanOrEqual(workers)
        expect(found.parallelism.busyMs).toBe(
          picks.reduce((sum, pick) => sum + pick.runMs + (pick.retryMs > 0 ? 1 : 0), 0),
        )
      }),
    )
  })
})

/** How long a step of a played task runs, and how long it waits after it failed once, after a millisecond; 0: it does not fail. */
interface PlayedStep {
  readonly runMs: number
  readonly retryMs: number
}

interface Played extends PlayedStep {
  readonly index: number
  state: StepState
  untilMs: number
  /** How often it still fails. */
  failures: number
}

/** Plays a task on some workers, first come, first served: the simplest scheduler that there is, millisecond by millisecond. */
function play(
  parents: readonly (readonly number[])[],
  picks: readonly PlayedStep[],
  workers: number,
): { readonly changes: readonly StepChange[]; readonly endMs: number } {
  const changes: StepChange[] = []
  const steps = picks.map((pick, index): Played => {
    return { ...pick, index, state: "pending", untilMs: 0, failures: pick.retryMs > 0 ? 1 : 0 }
  })
  const move = (played: Played, to: StepState, atMs: number, lastsMs: number) => {
    changes.push({ step: played.index, from: played.state, to, atMs, isHandedBack: false })
    played.state = to
    played.untilMs = atMs + lastsMs
  }
  const end = (played: Played, now: number) => {
    if (played.failures === 0) return move(played, "complete", now, 0)
    played.failures -= 1
    move(played, "waiting_for_retry", now, played.retryMs)
  }
  const isReady = ({ index, state, untilMs }: Played, now: number) =>
    (state === "pending" || (state === "waiting_for_retry" && untilMs <= now))
    && parents[index]!.every((parent) => steps[parent]!.state === "complete")

  for (let now = 0; ; now++) {
    for (let count = -1; count !== changes.length;) {
      count = changes.length
      for (const played of steps.filter(({ state, untilMs }) => state === "in_progress" && untilMs <= now)) {
        end(played, now)
      }
      const room = workers - steps.filter(({ state }) => state === "in_progress").length
      for (const played of steps.filter((each) => isReady(each, now)).slice(0, room)) {
        move(played, "in_progress", now, played.failures > 0 ? 1 : played.runMs)
      }
    }
    if (steps.every(({ state }) => state === "complete")) return { changes, endMs: now }
  }
}
