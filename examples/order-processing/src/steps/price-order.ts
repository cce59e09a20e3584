import { apiStep, type StepHandler } from "@tasker/engine"
import { z } from "zod"
import type { OrderInput } from "../order-input.ts"
import type { ShopConfig } from "../shop-config.ts"
import type { CartLine, ValidCart } from "./validate-cart.ts"

/** What to pay, in cents. */
export interface Price {
  readonly goodsCents: number
  readonly discountCents: number
  readonly shippingCents: number
  readonly totalCents: number
}

const FREE_SHIPPING_FROM_CENTS = 10_000
const SHIPPING_CENTS = 590
const REGULAR_PERCENT = 5

const cartsSchema = z.object({ total: z.number() })

/** Adds up the cart. Who has had more carts than this one is a regular, and pays less. */
export const priceOrder: StepHandler<OrderInput, { validate_cart: ValidCart }, Price, ShopConfig> = apiStep({
  baseUrl: ({ config }) => config.shopUrl,
  request: ({ results }) => ({ url: `/carts/user/${results.validate_cart.userId}` }),
  responseSchema: cartsSchema,
  result: ({ body }, { results }) => priceOf(results.validate_cart.lines, body.total > 1),
})

export function priceOf(lines: readonly CartLine[], isRegular: boolean): Price {
  const full = sum(lines.map(({ unitCents, quantity }) => unitCents * quantity))
  const reduced = sum(
    lines.map(({ unitCents, quantity, discountPercent }) => percent(unitCents * quantity, 100 - discountPercent)),
  )
  const afterDiscounts = isRegular ? percent(reduced, 100 - REGULAR_PERCENT) : reduced
  const shippingCents = afterDiscounts >= FREE_SHIPPING_FROM_CENTS ? 0 : SHIPPING_CENTS
  return {
    goodsCents: full,
    discountCents: full - afterDiscounts,
    shippingCents,
    totalCents: afterDiscounts + shippingCents,
  }
}

function percent(cents: number, share: number): number {
  return Math.round((cents * share) / 100)
}

function sum(amounts: readonly number[]): number {
  return amounts.reduce((total, amount) => total + amount, 0)
}
