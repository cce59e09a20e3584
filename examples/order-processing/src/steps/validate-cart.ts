import { apiStep, PermanentError, type StepHandler } from "@tasker/engine"
import { z } from "zod"
import type { OrderInput } from "../order-input.ts"
import type { ShopConfig } from "../shop-config.ts"

export interface ValidCart {
  readonly cartId: number
  readonly userId: number
  readonly lines: readonly CartLine[]
}

export interface CartLine {
  readonly productId: number
  readonly title: string
  readonly quantity: number
  readonly unitCents: number
  readonly discountPercent: number
}

const cartSchema = z.object({
  id: z.number(),
  userId: z.number(),
  products: z.array(
    z.object({
      id: z.number(),
      title: z.string(),
      price: z.number(),
      quantity: z.int().positive(),
      discountPercentage: z.number(),
    }),
  ),
})

/** Loads the cart, and refuses an empty one for good. */
export const validateCart: StepHandler<OrderInput, {}, ValidCart, ShopConfig> = apiStep({
  baseUrl: ({ config }) => config.shopUrl,
  request: ({ input }) => ({ url: `/carts/${input.cartId}` }),
  responseSchema: cartSchema,
  result: ({ body }) => {
    if (body.products.length === 0) throw new PermanentError(`cart ${body.id} is empty`, { code: "CART_EMPTY" })
    return {
      cartId: body.id,
      userId: body.userId,
      lines: body.products.map(({ id, title, price, quantity, discountPercentage }) => ({
        productId: id,
        title,
        quantity,
        unitCents: Math.round(price * 100),
        discountPercent: discountPercentage,
      })),
    }
  },
})
