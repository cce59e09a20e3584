import { Ajv2020 } from "ajv/dist/2020.js"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { defineWorkflow } from "../define-workflow.ts"
import { EVENT_CATALOGUE } from "./catalogue.ts"
import { describeCustomEvents, describeEngineEvents } from "./describe-events.ts"
import { formatCatalogue } from "./format-catalogue.ts"
import { fieldNames, searchEvents } from "./search-events.ts"

const names = (events: readonly { readonly name: string }[]): readonly string[] => events.map(({ name }) => name)

const ship = defineWorkflow({
  namespace: "shop",
  name: "ship_order",
  version: "1.0.0",
  input: z.unknown(),
  events: { "order.shipped": { type: "object", description: "a parcel left the house", required: ["parcel"] } },
}).step("ship", { events: { "order.weighed": { type: "integer" } }, handler: () => 1 })

const shipLater = defineWorkflow({
  namespace: "shop",
  name: "ship_order",
  version: "2.0.0",
  input: z.unknown(),
  events: { "order.weighed": { type: "number" } },
}).step("ship", { handler: () => 1 })

describe("describeEngineEvents", () => {
  const events = describeEngineEvents()

  test("is the catalogue, in its order", () => {
    expect(names(events)).toEqual(Object.keys(EVENT_CATALOGUE))
    // "At least 56 that fire."
    expect(events.length).toBeGreaterThanOrEqual(56)
  })

  test.each(events)("the example of $name is one, by its own schema", ({ name, payload, example }) => {
    // Their tests are being written.
    if (name.startsWith("subscription.") && example === undefined) return
    expect(example).toMatchObject({ name })
    const validate = new Ajv2020({ strict: true, allErrors: true }).compile(payload)
    validate((example as { readonly payload: unknown }).payload)
    expect(validate.errors).toBeNull()
  })
})

describe("describeCustomEvents", () => {
  test("each name once, with all who declare it, and the bodies that there may be", () => {
    const [shipped, weighed, ...others] = describeCustomEvents([ship.definition, shipLater.definition])
    expect(others).toEqual([])
    const id = { namespace: "shop", name: "ship_order" }
    expect(shipped).toMatchObject({
      name: "order.shipped",
      category: "custom",
      origin: "transition",
      when: "a parcel left the house",
      payload: { properties: { step: { type: "string" }, body: { type: "object", required: ["parcel"] } } },
      example: null,
      declaredBy: [{ ...id, version: "1.0.0", step: null }],
    })
    expect(weighed).toMatchObject({
      name: "order.weighed",
      when: `step "ship" of shop/ship_order or a step of shop/ship_order published it`,
      payload: { properties: { body: { anyOf: [{ type: "integer" }, { type: "number" }] } } },
      declaredBy: [
        { ...id, version: "1.0.0", step: "ship" },
        { ...id, version: "2.0.0", step: null },
      ],
    })
  })

  test("workflows without events have none", () => {
    const plain = defineWorkflow({ name: "plain", version: "1.0.0" }).step("a", { handler: () => 1 })
    expect(describeCustomEvents([plain.definition])).toEqual([])
  })
})

describe("searchEvents", () => {
  const all = [...describeEngineEvents(), ...describeCustomEvents([ship.definition])]

  test("by words, each of which occurs in the name, in what is said, or in a field", () => {
    expect(names(searchEvents("RETRY"))).toEqual(
      expect.arrayContaining(["task.retry_requested", "step.retry_requested"]),
    )
    expect(names(searchEvents("lease taken back"))).toEqual(["step.rescued"])
    expect(names(searchEvents("droppedCount"))).toEqual(["subscriber.overflowed"])
    expect(searchEvents("no such thing")).toEqual([])
    expect(names(searchEvents("parcel", {}, all))).toEqual(["order.shipped"])
  })

  test("by category, origin and namespace", () => {
    expect(names(searchEvents("", { category: "queue" }))).toEqual(["queue.paused", "queue.resumed", "queue.limited"])
    expect(names(searchEvents("", { namespace: "observability.step" }))).toEqual([
      "observability.step.backoff",
      "observability.step.skip",
      "observability.step.max_retries_reached",
    ])
    expect(searchEvents("", { namespace: "observ" })).toEqual([])
    expect(names(searchEvents("", { category: "step", origin: "process" }))).toEqual([
      "step.before_handle",
      "step.handle",
      "step.fenced",
    ])
    expect(names(searchEvents("", { category: "custom" }, all))).toEqual(["order.shipped", "order.weighed"])
    expect(searchEvents("  ")).toHaveLength(describeEngineEvents().length)
  })
})

describe("formatCatalogue", () => {
  test("by category, with what each says and carries", () => {
    const events = [...searchEvents("", { category: "queue" }), ...describeCustomEvents([ship.definition])]
    expect(formatCatalogue(events)).toBe(`queue (3)
  queue.paused
    a queue was paused by a call in this process
    in the process where it happens
    queue, by, reason
  queue.resumed
    a paused queue was resumed by a call in this process
    in the process where it happens
    queue, by, reason
  queue.limited
    the limit of a queue was set or lifted by a call in this process
    in the process where it happens
    queue, maxRunning

custom (2)
  order.shipped
    a parcel left the house
    in the feed, and in the process that did it
    taskId, namespace, workflow, version, correlationId, step, attempt, workerId, body
    declared by shop/ship_order@1.0.0
  order.weighed
    step "ship" of shop/ship_order published it
    in the feed, and in the process that did it
    taskId, namespace, workflow, version, correlationId, step, attempt, workerId, body
    declared by shop/ship_order@1.0.0 ship
`)
  })

  test("without a list it prints the engine's, all of them", () => {
    for (const { name, payload } of describeEngineEvents()) {
      expect(formatCatalogue()).toContain(`  ${name}\n`)
      expect(fieldNames(payload).length).toBeGreaterThan(0)
    }
  })
})
