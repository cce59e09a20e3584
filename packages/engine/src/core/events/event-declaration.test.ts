import { describe, expect, test } from "vitest"
import { z } from "zod"
import { defineTemplate } from "../define-template.ts"
import { defineWorkflow } from "../define-workflow.ts"
import { isTaskerError } from "../error.ts"
import type { Problem } from "../problem.ts"
import { EVENT_CATALOGUE } from "./catalogue.ts"
import { ENGINE_NAMESPACES } from "./engine-namespaces.ts"
import { isCustomEventName, MAX_EVENTS } from "./event-declaration.ts"

const id = { namespace: "shop", name: "ship_order", version: "1.0.0" }
const parcel = z.object({ parcel: z.string() })

/** What is wrong with the events of a workflow of two steps. Without a compiler they may be anything. */
function problemsOf(events: unknown, ofA?: unknown, ofB?: unknown): readonly Problem[] {
  try {
    void defineWorkflow({ ...id, events: events as undefined })
      .step("a", { events: ofA as {}, handler: () => 1 })
      .step("b", { events: ofB as {}, handler: () => 1 }).definition
    return []
  } catch (error) {
    if (!isTaskerError(error, "TASKER_WORKFLOW_INVALID")) throw error
    return error.details["problems"] as readonly Problem[]
  }
}

describe("isCustomEventName", () => {
  test.each(["order.shipped", "a.b", "a.b.c.d", "order_2.shipped", "task_list.made", "tasks.made", "shop.task.made"])(
    "%s is one",
    (name) => {
      expect(isCustomEventName(name)).toBe(true)
      expect(problemsOf({ [name]: {} })).toEqual([])
    },
  )

  test.each([
    "order",
    "a.b.c.d.e",
    "Order.shipped",
    "order.",
    ".shipped",
    "order..x",
    "a.prototype",
    "order.ship ped",
    "",
  ])("%j is none", (name) => {
    expect(isCustomEventName(name)).toBe(false)
    expect(problemsOf({ [name]: {} })).toMatchObject([
      { message: /^expected an event to be called by two to four names/ },
    ])
  })

  test("no name may begin as those of the engine do", () => {
    expect(ENGINE_NAMESPACES).toEqual(
      [...new Set(Object.keys(EVENT_CATALOGUE).map((name) => String(name.split(".")[0])))].toSorted(),
    )
    for (const namespace of ENGINE_NAMESPACES) {
      expect(isCustomEventName(`${namespace}.mine`)).toBe(false)
      expect(problemsOf(undefined, { [`${namespace}.mine`]: {} })).toMatchObject([
        {
          path: `steps[0].events["${namespace}.mine"]`,
          message: expect.stringContaining(`event "${namespace}.mine" would be one of the engine's`),
          hint: "begin it with a word of your own",
        },
      ])
    }
  })
})

describe("events of a workflow", () => {
  test("those of the workflow and of its steps are found, sorted by name", () => {
    const workflow = defineWorkflow({ ...id, input: z.unknown(), events: { "order.shipped": parcel } })
      .step("b", { events: { "order.lost": { type: "object" }, "order.delayed": {} }, handler: () => 1 })
      .step("a", { handler: () => 1 })
    expect(workflow.events).toEqual([
      { name: "order.delayed", step: "b", schema: {} },
      { name: "order.lost", step: "b", schema: { type: "object" } },
      { name: "order.shipped", step: null, schema: parcel },
    ])
    expect(workflow.definition.events).toEqual([
      { name: "order.delayed", step: "b", schema: {} },
      { name: "order.lost", step: "b", schema: { type: "object" } },
      { name: "order.shipped", step: null, schema: expect.objectContaining({ required: ["parcel"] }) },
    ])
  })

  test("a workflow without events is defined as it was before there were events", () => {
    const workflow = defineWorkflow(id).step("a", { handler: () => 1 })
    expect(workflow.definition).not.toHaveProperty("events")
    expect(workflow.events).toEqual([])
  })

  test("a template declares them alike", () => {
    const workflow = defineTemplate({
      ...id,
      events: { "order.shipped": parcel },
      steps: [{ name: "b", events: { "order.lost": { type: "object" } } }],
    }).implement<unknown, { readonly b: number }>({ b: () => 1 })
    expect(workflow.events.map(({ name, step }) => [name, step])).toEqual([
      ["order.lost", "b"],
      ["order.shipped", null],
    ])
  })

  test("each name is declared once", () => {
    expect(
      problemsOf({ "order.shipped": {} }, { "order.shipped": {}, "order.lost": {} }, { "order.lost": {} }),
    ).toMatchObject([
      {
        path: `steps[0].events["order.shipped"]`,
        message: `event "order.shipped" is declared by the workflow already`,
        hint: "declare it once, under the workflow",
      },
      { path: `steps[1].events["order.lost"]`, message: `event "order.lost" is declared by step "a" already` },
    ])
  })

  test("a name that is nearly right is put right", () => {
    expect(problemsOf({ "Order.orderShipped": {} })).toMatchObject([{ hint: `did you mean "order.order_shipped"?` }])
  })

  test.each<[unknown, string]>([
    [["order.shipped"], "expected events to be an object of schemas by the names of events, got a list of 1"],
    [{ "order.shipped": true }, "expected order.shipped to be a Standard Schema or a JSON Schema object, got true"],
    [{ "order.shipped": { a: 1n } }, "expected schema to be JSON, got a bigint at schema.a"],
  ])("a declaration that is none is refused: %#", (events, message) => {
    expect(problemsOf(events).map((problem) => problem.message)).toEqual([message])
  })

  test("there is a limit", () => {
    const many = Object.fromEntries(Array.from({ length: MAX_EVENTS + 1 }, (_, index) => [`order.e${index}`, {}]))
    expect(problemsOf(many)).toMatchObject([
      { message: "expected a workflow to declare at most 1000 events, got 1001" },
    ])
  })
})
