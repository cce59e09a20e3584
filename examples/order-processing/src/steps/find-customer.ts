import { apiStep, type StepHandler } from "@tasker/engine"
import { z } from "zod"
import type { OrderInput } from "../order-input.ts"
import type { ShopConfig } from "../shop-config.ts"
import type { ValidCart } from "./validate-cart.ts"

export interface Customer {
  readonly customerId: number
  readonly name: string
  readonly email: string
}

const userSchema = z.object({ id: z.number(), firstName: z.string(), lastName: z.string(), email: z.string() })

/** Whose cart it is. Of all that the shop knows about a person, only this is asked for and stored. */
export const findCustomer: StepHandler<OrderInput, { validate_cart: ValidCart }, Customer, ShopConfig> = apiStep({
  baseUrl: ({ config }) => config.shopUrl,
  request: ({ results }) => ({
    url: `/users/${results.validate_cart.userId}`,
    query: { select: "firstName,lastName,email" },
  }),
  responseSchema: userSchema,
  result: ({ body: { id, firstName, lastName, email } }) => ({
    customerId: id,
    name: `${firstName} ${lastName}`,
    email,
  }),
})
