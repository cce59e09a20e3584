import { describe, expect, test } from "vitest"
import { z } from "zod"
import { defineTemplate } from "./define-template.ts"
import { defineWorkflow } from "./define-workflow.ts"

interface OrderInput {
  readonly cartId: string
}

const order = { namespace: "shop", name: "process_order", version: "1.2.0" }

const template = defineTemplate({
  ...order,
  steps: [
    { name: "charge", dependsOn: ["price"], handler: "payments.charge_card", maxAttempts: 5 },
    { name: "price", skippable: true, config: { currency: "EUR" } },
  ],
})

/** The template as JavaScript sees it. */
const untyped = template as unknown as { implement(handlers?: unknown): unknown }

describe(defineTemplate, () => {
  test("binds a handler to each step, by the step's name", () => {
    const price = (): number => 1
    const charge = (): string => "ch_1"
    const workflow = template.implement<OrderInput, { price: number; charge: string }>({ price, charge })

    expect(workflow).toMatchObject(order)
    expect(workflow.steps).toMatchObject([
      {
        spec: { name: "price", handlerName: "shop.price", skippable: true },
        handler: price,
        config: { currency: "EUR" },
      },
      { spec: { name: "charge", handlerName: "payments.charge_card", maxAttempts: 5 }, handler: charge },
    ])
  })

  test("means the same as the builder", () => {
    const handler = (): number => 1
    const built = defineWorkflow<OrderInput>(order)
      .step("a", { handler })
      .step("b", { dependsOn: ["a"], handler, queue: "slow" })
    const steps = [{ name: "a" }, { name: "b", dependsOn: ["a"], queue: "slow" }] as const
    const implemented = defineTemplate({ ...order, steps }).implement<OrderInput, { a: number; b: number }>({
      a: handler,
      b: handler,
    })

    expect(implemented.definition).toEqual(built.definition)
  })

  test("keeps the schema of the input", () => {
    const input = z.object({ cartId: z.string() })

    expect(defineTemplate({ ...order, input, steps: [] }).implement<OrderInput, {}>({}).inputSchema).toBe(input)
  })

  test("is in the default namespace when it names none", () => {
    expect(defineTemplate({ name: "x", version: "1.0.0", steps: [] }).namespace).toBe("default")
  })

  test("what the compiler would refuse is refused at once for JavaScript", () => {
    const broken: unknown = { ...order, steps: [{ name: "a", dependsOn: ["b"], timeout: 1 }] }

    expect(() => defineTemplate(broken as { name: string; version: string; steps: [] })).toThrow(
      /breaks 2 rules:\n {2}steps\[0\]\.timeout: .*did you mean "timeoutMs".*\n {2}steps\[0\]\.dependsOn\[0\]: /,
    )
  })

  test("handlers that are missing, unused or no functions are reported together", () => {
    expect(() => untyped.implement({ prices: () => 1, charge: 7 })).toThrow(
      expect.objectContaining({
        code: "TASKER_WORKFLOW_INVALID",
        details: {
          problems: [
            expect.objectContaining({
              path: "handlers.prices",
              message: 'handler "prices" belongs to no step of this template',
              hint: 'did you mean "price"?',
            }),
            expect.objectContaining({ message: 'expected the handler of step "charge" to be a function, got 7' }),
            expect.objectContaining({
              message: 'step "price" has no handler: none was given for "shop.price"',
              hint: 'did you mean "prices"?',
            }),
          ],
        },
      }),
    )
  })

  test("handlers that are no object are refused", () => {
    expect(() => untyped.implement()).toThrow(/handlers: expected handlers to be an object, got nothing/)
  })

  test("a handler is not found where objects inherit", () => {
    const inherited = Object.create({ price: () => 1, charge: () => 1 }) as object

    expect(() => untyped.implement(inherited)).toThrow(/step "price" has no handler/)
  })
})
