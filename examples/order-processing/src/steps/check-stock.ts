import { callApi, PermanentError, type StepHandler } from "@tasker/engine"
import { z } from "zod"
import type { OrderInput } from "../order-input.ts"
import type { ShopConfig } from "../shop-config.ts"
import type { ValidCart } from "./validate-cart.ts"

export interface CheckedStock {
  readonly checked: readonly { readonly productId: number; readonly left: number }[]
}

const stockSchema = z.object({ id: z.number(), stock: z.number() })

/** Asks for all products at once. What is sold out fails the order for good. */
export const checkStock: StepHandler<OrderInput, { validate_cart: ValidCart }, CheckedStock, ShopConfig> = async (
  step,
) => {
  const { lines } = step.results.validate_cart
  const checked = await Promise.all(
    lines.map(async ({ productId, title, quantity }) => {
      const { body } = await callApi(step, {
        baseUrl: step.config.shopUrl,
        url: `/products/${productId}`,
        query: { select: "stock" },
        responseSchema: stockSchema,
      })
      if (body.stock < quantity) {
        throw new PermanentError(`${body.stock} of "${title}" are left, and ${quantity} were ordered`, {
          code: "OUT_OF_STOCK",
        })
      }
      return { productId, left: body.stock - quantity }
    }),
  )
  return { checked }
}
