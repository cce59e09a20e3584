import { describe, expect, test } from "vitest"
import type { StepState } from "../state.ts"
import { createStepGraph } from "./step-graph.ts"
import { buildTimelines, type StepChange } from "./timeline.ts"

/** The changes of steps, each told as `step state at`; a step begins as pending. */
function changes(...told: readonly (readonly [step: number, to: StepState, atMs: number])[]): readonly StepChange[] {
  const states = new Map<number, StepState>()
  return told.map(([step, to, atMs]) => {
    const from = states.get(step) ?? "pending"
    states.set(step, to)
    return { step, from, to, atMs, isHandedBack: false }
  })
}

const NO_TIME = { queueMs: 0, runMs: 0, retryMs: 0, operatorMs: 0 }

describe(buildTimelines, () => {
  test("a step is ready when the last of its parents is done, waits until it is claimed, and runs until it ends", () => {
    const graph = createStepGraph([[], [], [0, 1]])
    const found = buildTimelines(
      graph,
      changes(
        [0, "in_progress", 5],
        [1, "in_progress", 10],
        [0, "complete", 20],
        [1, "complete", 30],
        [2, "in_progress", 37],
        [2, "complete", 50],
      ),
      50,
    )
    expect(found).toEqual([
      { ...NO_TIME, readyMs: 0, queueMs: 5, runMs: 15, endMs: 20, attempts: [attempt(5, 20, "complete")] },
      { ...NO_TIME, readyMs: 0, queueMs: 10, runMs: 20, endMs: 30, attempts: [attempt(10, 30, "complete")] },
      { ...NO_TIME, readyMs: 30, queueMs: 7, runMs: 13, endMs: 50, attempts: [attempt(37, 50, "complete")] },
    ])
  })

  test("the time between attempts is the retry's; the time in error, the operator's; then it waits in the queue again", () => {
    const [found] = buildTimelines(
      createStepGraph([[]]),
      changes(
        [0, "in_progress", 1],
        [0, "waiting_for_retry", 3],
        [0, "in_progress", 10],
        [0, "error", 20],
        [0, "pending", 50],
        [0, "in_progress", 52],
        [0, "complete", 60],
      ),
      60,
    )
    expect(found).toEqual({
      readyMs: 0,
      queueMs: 1 + 2,
      runMs: 2 + 10 + 8,
      retryMs: 7,
      operatorMs: 30,
      endMs: 60,
      attempts: [attempt(1, 3, "waiting_for_retry"), attempt(10, 20, "error"), attempt(52, 60, "complete")],
    })
  })

  test("a step that a stopping worker handed back did not fail: it waits in its queue again", () => {
    const [found] = buildTimelines(
      createStepGraph([[]]),
      [
        ...changes([0, "in_progress", 1]),
        { step: 0, from: "in_progress", to: "waiting_for_retry", atMs: 5, isHandedBack: true },
        { step: 0, from: "waiting_for_retry", to: "in_progress", atMs: 25, isHandedBack: false },
      ],
      30,
    )
    expect(found).toMatchObject({ queueMs: 1 + 20, runMs: 4 + 5, retryMs: 0, endMs: 30 })
  })

  test("what has not ended lasts until now; what waits for parents has no time yet", () => {
    const graph = createStepGraph([[], [], [0], [1], [2]])
    const found = buildTimelines(
      graph,
      changes([0, "in_progress", 10], [0, "complete", 20], [1, "in_progress", 30], [1, "waiting_for_retry", 60]),
      100,
    )
    expect(found[1]).toMatchObject({ queueMs: 30, runMs: 30, retryMs: 40, endMs: 100 })
    expect(found[2]).toEqual({ ...NO_TIME, readyMs: 20, queueMs: 80, endMs: 100, attempts: [] })
    expect(found[3]).toEqual({ ...NO_TIME, readyMs: null, endMs: null, attempts: [] })
    const running = buildTimelines(createStepGraph([[]]), changes([0, "in_progress", 40]), 100)
    expect(running[0]).toMatchObject({ runMs: 60, endMs: 100, attempts: [attempt(40, null, null)] })
  })

  test("a step in error has ended for now: what it stands there does not count before somebody acts", () => {
    const [found] = buildTimelines(createStepGraph([[]]), changes([0, "in_progress", 0], [0, "error", 20]), 100)
    expect(found).toMatchObject({ runMs: 20, operatorMs: 0, endMs: 20 })
  })

  test("a step that somebody settled before its parents were done has waited for nothing", () => {
    const graph = createStepGraph([[], [0]])
    const found = buildTimelines(graph, changes([1, "skipped", 5], [0, "in_progress", 10], [0, "complete", 30]), 30)
    expect(found[1]).toEqual({ ...NO_TIME, readyMs: 30, endMs: 5, attempts: [] })
  })

  test("a cancelled step waited until then if it was ready, and not at all if it was not", () => {
    const graph = createStepGraph([[], [], [0]])
    const found = buildTimelines(
      graph,
      changes([1, "in_progress", 10], [0, "cancelled", 40], [1, "cancelled", 40], [2, "cancelled", 40]),
      40,
    )
    expect(found).toMatchObject([
      { queueMs: 40, endMs: 40 },
      { queueMs: 10, runMs: 30, attempts: [attempt(10, 40, "cancelled")] },
      { ...NO_TIME, readyMs: null, endMs: 40 },
    ])
  })
})

function attempt(startMs: number, endMs: number | null, outcome: StepState | null) {
  return { startMs, endMs, outcome }
}
