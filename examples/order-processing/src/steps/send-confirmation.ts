import { callApi, type StepHandler } from "@tasker/engine"
import type { OrderInput } from "../order-input.ts"
import type { ShopConfig } from "../shop-config.ts"
import type { Charge } from "./charge-card.ts"
import type { Order } from "./create-order.ts"
import type { Customer } from "./find-customer.ts"

export interface Confirmation {
  readonly sentTo: string
  readonly subject: string
}

/** Tells the customer. An order is good without it, so the step is skippable. */
export const sendConfirmation: StepHandler<
  OrderInput,
  { find_customer: Customer; charge_card: Charge; create_order: Order },
  Confirmation,
  ShopConfig
> = async (step) => {
  const { find_customer: customer, charge_card: charge, create_order: order } = step.results
  const amount = `${(charge.paidCents / 100).toFixed(2)} ${step.input.currency}`
  const subject = `Your order ${order.orderId} over ${amount}`
  if (step.config.hasPayments) {
    await callApi(step, { baseUrl: step.config.shopUrl, url: "/emails", body: { to: customer.email, subject } })
  }
  return { sentTo: customer.email, subject }
}
