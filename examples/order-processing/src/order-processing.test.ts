import { fileURLToPath } from "node:url"
import { loadWorkflow } from "@tasker/engine"
import { expect, test } from "vitest"
import { orderProcessing } from "./order-processing.ts"
import { chargeCard } from "./steps/charge-card.ts"
import { checkStock } from "./steps/check-stock.ts"
import { createOrder } from "./steps/create-order.ts"
import { findCustomer } from "./steps/find-customer.ts"
import { priceOrder } from "./steps/price-order.ts"
import { sendConfirmation } from "./steps/send-confirmation.ts"
import { validateCart } from "./steps/validate-cart.ts"

const handlers = {
  validate_cart: validateCart,
  check_stock: checkStock,
  price_order: priceOrder,
  find_customer: findCustomer,
  charge_card: chargeCard,
  create_order: createOrder,
  send_confirmation: sendConfirmation,
}

const file = fileURLToPath(new URL("../order_processing.yaml", import.meta.url))

test("the YAML twin declares the same workflow", async () => {
  const twin = await loadWorkflow(file, handlers)
  const own = orderProcessing({ shopUrl: "http://127.0.0.1:1", hasPayments: true })
  expect(twin.definition.steps).toEqual(own.definition.steps)
  // zod writes the schema of the input in words of its own.
  const ignored = { inputSchema: null }
  expect({ ...twin.definition, ...ignored }).toEqual({ ...own.definition, ...ignored })
})

test("the YAML twin names the shop in its config, and development has less patience", async () => {
  const twin = await loadWorkflow(file, handlers, { environment: "development" })
  expect(twin.steps.map(({ config }) => config)).toEqual(
    twin.steps.map(() => ({ shopUrl: "https://dummyjson.com", hasPayments: false })),
  )
  expect(twin.definition.steps[0]).toMatchObject({ maxAttempts: 2 })
  expect(twin.definition.steps[5]).toMatchObject({ name: "create_order", maxAttempts: 2 })
})
