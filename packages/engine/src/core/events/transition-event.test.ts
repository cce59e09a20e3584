import { describe, expect, test } from "vitest"
import { STEP_STATES, STEP_TRANSITIONS, TASK_TRANSITIONS, TASK_STATES, type StepState } from "../state.ts"
import { EVENT_CATALOGUE, isEventName } from "./catalogue.ts"
import { eventsOfTransition, type TransitionFacts } from "./transition-event.ts"

const FACTS: TransitionFacts = {
  taskId: "0190a000-0000-7000-8000-000000000001",
  namespace: "shop",
  workflow: "order",
  version: "1.0.0",
  correlationId: "c_1",
  at: new Date(0),
  step: "charge",
  from: "in_progress",
  to: "complete",
  attempt: 1,
  maxAttempts: 3,
  workerId: 7,
  cause: null,
  by: null,
  reason: null,
  error: null,
  durationMs: 12,
  delayMs: null,
  published: null,
}

function names(facts: Partial<TransitionFacts>): readonly string[] {
  return eventsOfTransition({ ...FACTS, ...facts }).map(({ name }) => name)
}

describe("eventsOfTransition", () => {
  test("a change of a step carries who, what, from and to", () => {
    expect(eventsOfTransition(FACTS)).toEqual([
      {
        name: "step.completed",
        at: new Date(0),
        payload: {
          taskId: FACTS.taskId,
          namespace: "shop",
          workflow: "order",
          version: "1.0.0",
          correlationId: "c_1",
          step: "charge",
          attempt: 1,
          maxAttempts: 3,
          from: "in_progress",
          to: "complete",
          cause: null,
          by: null,
          reason: null,
          workerId: 7,
          durationMs: 12,
          error: null,
        },
      },
    ])
  })

  test.each<[StepState, StepState, string | null, string]>([
    ["pending", "in_progress", null, "step.execution_requested"],
    ["in_progress", "error", null, "step.failed"],
    ["in_progress", "skipped", null, "observability.step.skip"],
    ["pending", "skipped", "bypassed", "observability.step.skip"],
    ["in_progress", "waiting_for_retry", null, "observability.step.backoff"],
    ["in_progress", "waiting_for_retry", "worker_lost", "step.rescued"],
    ["in_progress", "waiting_for_retry", "handed_back", "step.handed_back"],
    ["waiting_for_retry", "waiting_for_retry", "hastened", "step.hastened"],
    ["error", "pending", "retried", "step.retry_requested"],
    ["error", "resolved_manually", "resolved", "step.resolved_manually"],
    ["pending", "cancelled", null, "step.cancelled"],
  ])("a step from %s to %s (%s) is %s", (from, to, cause, name) => {
    expect(names({ from, to, cause })).toEqual([name])
  })

  test.each<[StepState | null, StepState, string | null, string]>([
    [null, "pending", null, "task.initialize_requested"],
    ["pending", "in_progress", null, "task.start_requested"],
    ["error", "in_progress", "retried", "task.retry_requested"],
    ["in_progress", "complete", null, "task.completed"],
    ["in_progress", "error", null, "task.failed"],
    ["pending", "cancelled", null, "task.cancelled"],
    ["error", "resolved_manually", null, "task.resolved_manually"],
    ["pending", "pending", "paused", "task.paused"],
    ["in_progress", "in_progress", "resumed", "task.resumed"],
  ])("a task from %s to %s (%s) is %s", (from, to, cause, name) => {
    expect(names({ step: null, attempt: null, maxAttempts: null, from, to, cause })).toEqual([name])
  })

  test("the last attempt is told beside the failure, and a timeout before what becomes of it", () => {
    expect(names({ to: "error", attempt: 3 })).toEqual(["step.failed", "observability.step.max_retries_reached"])
    expect(names({ to: "skipped", attempt: 3, cause: "timeout" })).toEqual([
      "step.timed_out",
      "observability.step.skip",
      "observability.step.max_retries_reached",
    ])
    expect(names({ to: "waiting_for_retry", cause: "timeout" })).toEqual([
      "step.timed_out",
      "observability.step.backoff",
    ])
  })

  test("a backoff says how long", () => {
    const [event] = eventsOfTransition({ ...FACTS, to: "waiting_for_retry", delayMs: 250 })
    expect(event?.payload).toMatchObject({ delayMs: 250, to: "waiting_for_retry" })
  })

  test("what a handler published goes by its own name", () => {
    const published = { name: "order.shipped", body: { parcel: 1 } }
    const [event] = eventsOfTransition({ ...FACTS, from: "complete", cause: "published", published })
    expect(event).toMatchObject({ name: "order.shipped", payload: { step: "charge", body: { parcel: 1 } } })
  })

  test("every change that the state tables allow has an event, unless a step begins or ends to sleep", () => {
    for (const from of STEP_STATES) {
      for (const to of STEP_TRANSITIONS[from]) if (to !== "waiting") expect(names({ from, to })).not.toEqual([])
    }
    for (const from of TASK_STATES) {
      for (const to of TASK_TRANSITIONS[from]) expect(names({ step: null, from, to })).not.toEqual([])
    }
  })

  test("what it returns is in the catalogue, as what follows from a transition", () => {
    const all = STEP_STATES.flatMap((from) => STEP_TRANSITIONS[from].flatMap((to) => names({ from, to, attempt: 3 })))
    for (const name of all) expect(isEventName(name) && EVENT_CATALOGUE[name].origin).toBe("transition")
  })

  test("a step that sleeps, and a task in a state that is none, have no event", () => {
    expect(names({ to: "waiting" })).toEqual([])
    expect(names({ step: null, to: "waiting" })).toEqual([])
  })
})
