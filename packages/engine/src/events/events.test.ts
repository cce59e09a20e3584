import { describe, expect, test } from "vitest"
import { defineWorkflow } from "../core/define-workflow.ts"
import { EVENT_CATALOGUE } from "../core/events/catalogue.ts"
import { silentLogger } from "../core/logger.ts"
import { createRedactor } from "../core/redact.ts"
import type { WorkflowDefinition } from "../core/workflow.ts"
import { EventBus } from "./event-bus.ts"
import { noFeeds } from "./test-feeds.ts"
import { createEvents, type EventSubscriptionOptions } from "./events.ts"

const bus = new EventBus({ now: () => new Date(0), logger: silentLogger, redact: createRedactor() })
const ship = defineWorkflow({ name: "ship_order", version: "1.0.0" }).step("ship", {
  events: { "order.shipped": {} },
  handler: () => 1,
})
const definitions: WorkflowDefinition[] = []
const events = createEvents(bus, noFeeds, () => definitions)

describe("events.catalogue", () => {
  test("holds the events of the engine, and of the workflows that there are when it is asked", () => {
    const names = () => events.catalogue().map(({ name }) => name)
    expect(names()).toEqual(Object.keys(EVENT_CATALOGUE))
    definitions.push(ship.definition)
    expect(names()).toEqual([...Object.keys(EVENT_CATALOGUE), "order.shipped"])
  })
})

describe("events.on", () => {
  test("its options reach the subscriber: name, filter, time and room", async () => {
    const told: number[] = []
    const stop = events.on("worker.stopped", ({ payload }) => void told.push(payload.workerId), {
      name: "mine",
      filter: ({ payload }) => payload.workerId > 2,
      maxPending: 1,
    })
    for (const workerId of [1, 2, 3, 4]) bus.publish("worker.stopped", { workerId, worker: "w", handedBackCount: 0 })
    await events.drained()
    expect(told).toEqual([4])
    expect(events.stats()).toMatchObject([{ subscriber: "mine", patterns: ["worker.stopped"], droppedCount: 1 }])
    stop()
    stop()
    expect(events.stats()).toEqual([])
  })

  test("an immediate one is told at once", () => {
    const told: number[] = []
    const stop = events.on("worker.stopped", ({ payload }) => void told.push(payload.workerId), { immediate: true })
    bus.publish("worker.stopped", { workerId: 5, worker: "w", handedBackCount: 0 })
    expect(told).toEqual([5])
    stop()
  })

  test("is called by its pattern when it has no name", () => {
    const stop = events.on("step.*", () => {})
    expect(events.stats()).toMatchObject([{ subscriber: "step.*" }])
    stop()
  })

  test.each([
    [
      "step.",
      `expected an event to be the name of an event, such as "step.completed", or a wildcard, such as "step.*", got "step."`,
    ],
    [undefined, /got nothing$/],
    ["step.completd", `no event is called "step.completd"`, `did you mean "step.completed"?`],
    ["worker.*.lost", `no event is called "worker.*.lost"`, `did you mean "worker.lost"?`],
    ["step", `no event is called "step"`],
  ])("refuses %j, which nothing can ever be told for", (pattern, message, hint?: string) => {
    // Without a compiler it may be anything.
    expect(() => events.on(pattern as "order.shipped", () => {})).toThrow(
      expect.objectContaining({ code: "TASKER_OPTION_INVALID", message: expect.stringMatching(message), hint }),
    )
  })

  test.each(["order.shipped", "order.*", "*", "*.failed", "observability.*", "tasker.telemetry.*"])(
    "takes %j",
    (pattern) => {
      events.on(pattern as "*", () => {})()
    },
  )

  test("refuses a handler that is none, and options that it does not know", () => {
    expect(() => events.on("*", "log" as unknown as () => void)).toThrow("expected handler to be a function")
    const options = { timeout: 5, maxPending: 0, name: "" } as EventSubscriptionOptions
    expect(() => events.on("*", () => {}, options)).toThrow(
      expect.objectContaining({
        details: {
          problems: [
            expect.objectContaining({ path: "timeout", hint: `did you mean "timeoutMs"?` }),
            expect.objectContaining({ path: "maxPending" }),
            expect.objectContaining({ path: "name" }),
          ],
        },
      }),
    )
  })
})
