import { type } from "arktype"
import * as v from "valibot"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { defineWorkflow } from "../core/define-workflow.ts"
import type { EventDeclarations } from "../core/events/declared-events.ts"
import { createHandlerRegistry } from "./handler-registry.ts"

const id = { namespace: "shop", name: "ship_order", version: "1.0.0" }

function register(events: EventDeclarations) {
  const workflow = defineWorkflow(id).step("ship", { events, handler: () => 1 })
  return createHandlerRegistry().register(workflow)
}

function check(schema: EventDeclarations[string], body: unknown): unknown {
  return register({ "order.shipped": schema }).validateBody.get("order.shipped")?.(body)
}

const jsonSchema = {
  type: "object",
  required: ["parcel"],
  properties: { parcel: { type: "string" }, express: { type: "boolean", default: false } },
}

describe("validateBody", () => {
  test.each([
    ["a JSON Schema", jsonSchema],
    ["zod", z.object({ parcel: z.string(), express: z.boolean().default(false) })],
    ["valibot", v.object({ parcel: v.string(), express: v.optional(v.boolean(), false) })],
    ["arktype", type({ parcel: "string", express: "boolean = false" })],
  ])("%s takes a body that matches, with defaults, and names what does not match, without the values", (_, schema) => {
    expect(check(schema, { parcel: "p_1" })).toEqual({ parcel: "p_1", express: false })
    const wrong = { parcel: 4_111_111 }
    expect(() => check(schema, wrong)).toThrow(
      expect.objectContaining({
        code: "TASKER_EVENT_INVALID",
        message: expect.stringMatching(/^the body of event "order\.shipped" does not match its schema: parcel: /),
        details: { event: "order.shipped", problems: [{ path: "parcel", message: expect.any(String) }] },
      }),
    )
    expect(() => check(schema, wrong)).not.toThrow("4111111")
  })

  test("what the caller gave is left as it is", () => {
    const body = { parcel: "p_1" }
    check(jsonSchema, body)
    expect(body).toEqual({ parcel: "p_1" })
  })

  test("a schema that checks asynchronously is refused when it is used, and its rejection is nobody's", async () => {
    const validate = async () => Promise.reject(new Error("late"))
    const schema = { "~standard": { version: 1, vendor: "test", validate } } as const
    expect(() => check(schema, "x")).toThrow(
      expect.objectContaining({
        code: "TASKER_EVENT_INVALID",
        message: `the schema of event "order.shipped" checks the body asynchronously`,
      }),
    )
    await new Promise(setImmediate)
  })

  test("a body that a JSON Schema cannot even be asked about is refused", () => {
    expect(() => check({}, { total: 1n })).toThrow(
      `event "order.shipped": expected body to be JSON, got a bigint at body.total`,
    )
  })

  test("schemas that are none are refused at registration, each with its place", () => {
    const workflow = defineWorkflow({ ...id, input: z.unknown(), events: { "order.lost": { type: "objct" } } })
      .step("first", { handler: () => 1 })
      .step("ship", { events: { "order.shipped": { propertis: {} } }, handler: () => 1 })
    expect(() => createHandlerRegistry().register(workflow)).toThrow(
      expect.objectContaining({
        code: "TASKER_WORKFLOW_INVALID",
        details: expect.objectContaining({
          problems: [
            expect.objectContaining({ path: `events["order.lost"].type` }),
            expect.objectContaining({
              path: `steps[1].events["order.shipped"].propertis`,
              hint: `did you mean "properties"?`,
            }),
          ],
        }),
      }),
    )
  })
})

describe("registering a workflow again", () => {
  const define = (events: EventDeclarations) => defineWorkflow(id).step("ship", { events, handler })
  const handler = () => 1
  const zod = z.string()

  test.each([
    ["the same events", { "order.shipped": {} }, { "order.shipped": {} }, undefined],
    ["the same schema", { "order.shipped": zod }, { "order.shipped": zod }, undefined],
    ["another event", { "order.shipped": {} }, { "order.lost": {} }, "with another definition: events changed"],
    [
      "another JSON Schema",
      { "order.a": {} },
      { "order.a": { type: "object" } },
      "with another definition: events changed",
    ],
    ["another schema object", { "order.a": zod }, { "order.a": z.string() }, `with another schema of event "order.a"`],
  ] as const)("%s", (_, before, after, difference) => {
    const registry = createHandlerRegistry()
    registry.register(define(before))
    const again = () => registry.register(define(after))
    if (difference === undefined) expect(again).not.toThrow()
    else expect(again).toThrow(difference)
  })
})
