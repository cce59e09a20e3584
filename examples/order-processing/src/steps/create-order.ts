import { apiStep, type StepHandler } from "@tasker/engine"
import { z } from "zod"
import type { OrderInput } from "../order-input.ts"
import type { ShopConfig } from "../shop-config.ts"
import type { Charge } from "./charge-card.ts"
import type { Customer } from "./find-customer.ts"
import type { ValidCart } from "./validate-cart.ts"

export interface Order {
  readonly orderId: number
}

const orderSchema = z.object({ id: z.number() })

/** Makes the order, once: `apiStep` sends the step's idempotency key with everything that is no mere question. */
export const createOrder: StepHandler<
  OrderInput,
  { validate_cart: ValidCart; find_customer: Customer; charge_card: Charge },
  Order,
  ShopConfig
> = apiStep({
  baseUrl: ({ config }) => config.shopUrl,
  request: ({ results }) => ({
    url: "/carts/add",
    body: {
      userId: results.find_customer.customerId,
      products: results.validate_cart.lines.map(({ productId, quantity }) => ({ id: productId, quantity })),
    },
  }),
  responseSchema: orderSchema,
  result: ({ body }) => ({ orderId: body.id }),
})
