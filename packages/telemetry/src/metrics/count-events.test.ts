import type { EventName, EventPayloads, Tasker } from "@tasker/engine"
import { Registry } from "prom-client"
import { expect, test } from "vitest"
import { countEvents } from "./count-events.ts"
import { createSeries, type Series } from "./series.ts"

/** Events that take a broken database, a slow subscriber or another process to happen; the engine's tests make them. */
function listen() {
  const handlers = new Map<string, (event: object) => void>()
  const events = {
    on(pattern: string, handler: (event: object) => void) {
      handlers.set(pattern, handler)
      return () => void handlers.delete(pattern)
    },
  }
  const registry = new Registry()
  const series = createSeries({ registry, seriesLimit: 100, onCapped: () => {} }, { step: [1], task: [1] })
  // countEvents calls nothing else of it.
  const stop = countEvents({ events } as unknown as Pick<Tasker, "events">, series)
  const publish = <Name extends EventName>(name: Name, payload: Partial<EventPayloads[Name]>) =>
    handlers.get(name)?.({ name, at: new Date(0), payload })
  return { series, publish, stop, handlers }
}

const cellsOf = (series: Series, name: Exclude<keyof Series, `${string}Duration`>) =>
  series[name].cells.map(({ labels, value }) => [...Object.values(labels), value])

test("subscribers that time out or are too slow, and durable subscriptions that fail", () => {
  const { series, publish } = listen()
  publish("subscriber.failed", { subscriber: "a" })
  publish("subscriber.timed_out", { subscriber: "a" })
  publish("subscriber.timed_out", { subscriber: "a" })
  publish("subscriber.overflowed", { subscriber: "b", droppedCount: 17 })
  publish("subscription.failed", { subscription: "billing" })
  expect(cellsOf(series, "subscriberFailures")).toEqual([
    ["a", "failed", 1],
    ["a", "timed_out", 2],
  ])
  expect(cellsOf(series, "subscriberDrops")).toEqual([["b", 17]])
  expect(cellsOf(series, "subscriptionFailures")).toEqual([["billing", 1]])
})

test("workers that lose their database or their lease, and lost workers that they find", () => {
  const { series, publish } = listen()
  publish("worker.disconnected", { worker: "one" })
  publish("worker.lease_lost", { worker: "one" })
  publish("worker.lost", { workerId: 7, stepCount: 3 })
  publish("database.listener_restored", {})
  publish("workflow.task_state_unclear", { invariant: "progress" })
  expect(cellsOf(series, "workerDisconnections")).toEqual([["one", 1]])
  expect(cellsOf(series, "workerLeasesLost")).toEqual([["one", 1]])
  expect(cellsOf(series, "workersLost")).toEqual([[1]])
  expect(cellsOf(series, "listenerRestored")).toEqual([[1]])
  expect(cellsOf(series, "violations")).toEqual([["progress", 1]])
})

test("exports, by what they are of, their format and how they ended", () => {
  const { series, publish } = listen()
  publish("tasker.telemetry.export_completed", { what: "tasks", format: "csv" })
  publish("tasker.telemetry.export_failed", { what: "tasks", format: "csv" })
  expect(cellsOf(series, "exports")).toEqual([
    ["tasks", "csv", "completed", 1],
    ["tasks", "csv", "failed", 1],
  ])
})

test("an end without a measured duration is counted, and not measured", () => {
  const { series, publish } = listen()
  const task = { namespace: "shop", workflow: "order" }
  publish("task.cancelled", { ...task, to: "cancelled", durationMs: null })
  publish("step.cancelled", { ...task, step: "charge", to: "cancelled", durationMs: null })
  expect(cellsOf(series, "tasksEnded")).toEqual([["shop", "order", "cancelled", 1]])
  expect(cellsOf(series, "stepsEnded")).toEqual([["shop", "order", "charge", "cancelled", 1]])
  expect([series.taskDuration.cells, series.stepDuration.cells]).toEqual([[], []])
})

test("attempts that were cancelled or lost with their worker are counted, and not measured", () => {
  const { series, publish } = listen()
  const step = { namespace: "shop", workflow: "order", step: "charge", durationMs: 9_000 }
  publish("step.cancelled", { ...step, to: "cancelled", cause: null })
  publish("step.rescued", { ...step, to: "waiting_for_retry", cause: "worker_lost" })
  // No attempt was left.
  publish("step.failed", { ...step, to: "error", cause: "worker_lost" })
  publish("observability.step.skip", { ...step, to: "skipped", cause: "worker_lost" })
  expect(series.stepDuration.cells).toEqual([])
  expect(cellsOf(series, "stepsRescued")).toEqual([["shop", "order", "charge", 3]])
  expect(cellsOf(series, "stepsEnded")).toEqual(
    ["cancelled", "error", "skipped"].map((outcome) => ["shop", "order", "charge", outcome, 1]),
  )
  publish("step.failed", { ...step, to: "error", cause: "timeout" })
  expect(series.stepDuration.cells).toHaveLength(1)
})

test("nothing is listened for after the end", () => {
  const { stop, handlers } = listen()
  expect(handlers.size).toBeGreaterThan(25)
  stop()
  expect(handlers.size).toBe(0)
})
