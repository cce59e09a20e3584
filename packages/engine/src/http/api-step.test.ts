import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, expect, expectTypeOf, test } from "vitest"
import { z } from "zod"
import { defineWorkflow } from "../core/define-workflow.ts"
import { silentLogger } from "../core/logger.ts"
import type { AnyStepContext, ResultsOf, StepContext, StepHandler } from "../core/workflow.ts"
import { apiStep } from "./api-step.ts"

let server: Server
let shopUrl: string
const seen: { method: string | undefined; url: string | undefined; key: unknown }[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push({ method: request.method, url: request.url, key: request.headers["idempotency-key"] })
    response.end(JSON.stringify({ id: 7, total: 42, internal: "not for the database" }))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  // A TCP server that listens has an address of this form.
  shopUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
})

afterAll(() => new Promise((resolve) => server.close(resolve)))

interface OrderInput {
  readonly cartId: number
}

interface ShopConfig {
  readonly shopUrl: string
}

const cartSchema = z.object({ id: z.number(), total: z.number() })
type Cart = z.infer<typeof cartSchema>

const loadCart: StepHandler<OrderInput, {}, Cart, ShopConfig> = apiStep({
  baseUrl: ({ config }) => config.shopUrl,
  request: ({ input }) => ({ url: `/carts/${input.cartId}` }),
  responseSchema: cartSchema,
  result: ({ body }) => body,
})

const workflow = defineWorkflow<OrderInput>({ name: "order", version: "1.0.0" })
  .step("load_cart", { handler: loadCart, config: { shopUrl: "http://127.0.0.1:1" } })
  .step("charge", {
    dependsOn: ["load_cart"],
    handler: apiStep({
      request: async ({ results }: StepContext<OrderInput, { load_cart: Cart }>) => ({
        url: `${shopUrl}/payments`,
        body: { amount: results.load_cart.total },
      }),
      result: ({ status }, { attempt }) => ({ status, attempt }),
    }),
  })

function contextOf(more: Partial<AnyStepContext>): AnyStepContext {
  return {
    input: { cartId: 7 },
    results: {},
    config: undefined,
    attempt: 2,
    maxAttempts: 3,
    signal: new AbortController().signal,
    taskId: "t",
    stepName: "s",
    workflow,
    correlationId: "c-1",
    idempotencyKey: "t:s",
    log: silentLogger,
    publish: () => {},
    ...more,
  }
}

test("a step's config says where the service is, and its result holds what was picked", async () => {
  const result = await workflow.steps[0]?.handler(contextOf({ config: { shopUrl } }))
  expect(result).toEqual({ id: 7, total: 42 })
  expect(seen.at(-1)).toEqual({ method: "GET", url: "/v1/carts/7", key: undefined })
})

test("the request sees the results of dependencies, and the result sees the context", async () => {
  const result = await workflow.steps[1]?.handler(contextOf({ results: { load_cart: { id: 7, total: 42 } } }))
  expect(result).toEqual({ status: 200, attempt: 2 })
  expect(seen.at(-1)).toEqual({ method: "POST", url: "/v1/payments", key: "t:s" })
})

test("the result of the step has the type of what `result` returns", () => {
  expectTypeOf<ResultsOf<typeof workflow>["load_cart"]>().toEqualTypeOf<Cart>()
  expectTypeOf<ResultsOf<typeof workflow>["charge"]>().toEqualTypeOf<{ status: number; attempt: number }>()
})
