import { callApi, PermanentError, type StepHandler } from "@tasker/engine"
import { z } from "zod"
import type { OrderInput } from "../order-input.ts"
import { DECLINED_TOKEN } from "../payment-tokens.ts"
import type { ShopConfig } from "../shop-config.ts"
import type { CheckedStock } from "./check-stock.ts"
import type { Price } from "./price-order.ts"

export interface Charge {
  readonly chargeId: string
  readonly paidCents: number
}

const chargeSchema = z.object({ id: z.string() })

/**
 * Takes the money. The call carries the step's idempotency key, so a second attempt after a lost answer does not
 * charge twice. A declined card is a 402, and no attempt will change that.
 */
export const chargeCard: StepHandler<
  OrderInput,
  { check_stock: CheckedStock; price_order: Price },
  Charge,
  ShopConfig
> = async (step) => {
  const { input, results, config } = step
  const paidCents = results.price_order.totalCents
  if (!config.hasPayments) return { chargeId: simulateCharge(step.idempotencyKey, input.paymentToken), paidCents }
  const { body } = await callApi(step, {
    baseUrl: config.shopUrl,
    url: "/payments",
    body: { amount: paidCents, currency: input.currency, source: input.paymentToken },
    responseSchema: chargeSchema,
  })
  return { chargeId: body.id, paidCents }
}

function simulateCharge(idempotencyKey: string, paymentToken: string): string {
  if (paymentToken === DECLINED_TOKEN) throw new PermanentError("Your card was declined", { code: "CARD_DECLINED" })
  return `simulated_${idempotencyKey}`
}
