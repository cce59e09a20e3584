import { z } from "zod"

/** What a creator of an order gives. */
export const orderInput = z.object({
  cartId: z.int().positive(),
  /** Stands for a card, as payment providers give it out; no card number gets here. */
  paymentToken: z.string().min(1),
  currency: z.enum(["EUR", "USD"]).default("EUR"),
})

export type OrderInput = z.output<typeof orderInput>
