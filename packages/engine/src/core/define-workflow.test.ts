import { describe, expect, test } from "vitest"
import { defineWorkflow } from "./define-workflow.ts"

interface OrderInput {
  readonly cartId: string
}

const order = { namespace: "shop", name: "process_order", version: "1.2.0" }

/** The builder as JavaScript sees it. */
interface Untyped {
  step(name?: unknown, definition?: unknown): Untyped
  readonly definition: unknown
}

const untyped = defineWorkflow as unknown as (options: unknown) => Untyped

describe(defineWorkflow, () => {
  test("a workflow is declared step by step", () => {
    const price = (): { cents: number } => ({ cents: 100 })
    const charge = async ({ results }: { results: { price: { cents: number } } }): Promise<number> =>
      results.price.cents
    const workflow = defineWorkflow<OrderInput>({ ...order, description: "Orders.", maxAttempts: 5 })
      .step("price", { handler: price, timeoutMs: 5_000 })
      .step("charge", { dependsOn: ["price"], handler: charge, config: { key: 1 }, maxAttempts: 1 })

    expect(workflow).toMatchObject(order)
    expect(workflow.definition).toMatchObject({ ...order, description: "Orders." })
    expect(workflow.steps).toMatchObject([
      {
        spec: { name: "price", dependsOn: [], timeoutMs: 5_000, maxAttempts: 5, handlerName: "shop.price" },
        handler: price,
      },
      { spec: { name: "charge", dependsOn: ["price"], maxAttempts: 1 }, handler: charge, config: { key: 1 } },
    ])
  })

  test("without a step it is a workflow that has nothing to do", () => {
    const workflow = defineWorkflow({ name: "nothing", version: "1.0.0" })

    expect(workflow).toMatchObject({ namespace: "default", name: "nothing", steps: [], inputSchema: null })
  })

  test("each step makes a new builder, so a beginning can be shared", () => {
    const shared = defineWorkflow<OrderInput>(order).step("price", { handler: () => 1 })
    const one = shared.step("charge", { handler: () => 1 })
    const other = shared.step("ship", { handler: () => 1 })

    const names = [shared, one, other].map((workflow) => workflow.steps.map(({ spec }) => spec.name))
    expect(names).toEqual([["price"], ["price", "charge"], ["price", "ship"]])
  })

  test("it is checked once, when it is read", () => {
    const workflow = defineWorkflow<OrderInput>(order).step("price", { handler: () => 1 })

    expect(workflow.definition).toBe(workflow.definition)
    expect(workflow.steps[0]?.spec).toBe(workflow.definition.steps[0])
  })

  test("the schema of the input is kept", () => {
    const input = { type: "object" }

    expect(defineWorkflow<OrderInput>({ ...order, input }).inputSchema).toBe(input)
  })

  test("what the compiler would refuse is refused for JavaScript too, all of it at once", () => {
    const broken = untyped({ ...order, version: "1" })
      .step("price", { handler: "shop.price", name: "cost" })
      .step("charge", { dependsOn: ["price", "ship"], dependson: [], handler: () => 1 })
      .step("price", { handler: () => 1 })
      .step("ship", null)
      .step()

    expect(() => broken.definition).toThrow(
      expect.objectContaining({
        code: "TASKER_WORKFLOW_INVALID",
        details: {
          problems: expect.arrayContaining(
            [
              ["steps[0].name", "a step's name is the first argument of `step`"],
              ["steps[0].handler", 'step "price" has no handler: none was given for "shop.price"'],
              ["steps[3]", "expected each of steps to be an object, got null"],
              ["steps[4]", "expected each of steps to be an object, got nothing"],
              ["version", expect.stringContaining("expected version to be")],
              ["steps[1].dependson", 'unknown option "dependson"'],
              ["steps[2].name", 'step "price" is declared twice'],
              ["steps[4].name", expect.stringContaining("got nothing")],
            ].map(([path, message]): unknown => expect.objectContaining({ path, message })),
          ),
        },
      }),
    )
  })

  test("each fault is reported once", () => {
    const paths = (work: () => unknown): unknown => {
      try {
        return work()
      } catch (error) {
        return (error as { details: { problems: { path: string }[] } }).details.problems.map(({ path }) => path)
      }
    }

    expect(paths(() => untyped(order).step("price", { handler: 7 }).definition)).toEqual(["steps[0].handler"])
    expect(paths(() => untyped(order).step("price", { handler: "shop.price" }).definition)).toEqual([
      "steps[0].handler",
    ])
    expect(paths(() => untyped(order).step("price", {}).definition)).toEqual(["steps[0].handler"])
    expect(paths(() => untyped(order).step("price").definition)).toEqual(["steps[0]"])
  })

  test.each([null, undefined, "process_order"])("options of %j are refused when the workflow is read", (options) => {
    const workflow = untyped(options)

    expect(() => workflow.definition).toThrow(expect.objectContaining({ code: "TASKER_WORKFLOW_INVALID" }))
  })

  test("steps are not an option", () => {
    expect(() => untyped({ ...order, steps: [] }).definition).toThrow(/steps: steps are declared by `step`/)
  })
})
