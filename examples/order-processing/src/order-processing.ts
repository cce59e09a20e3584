import { defineWorkflow } from "@tasker/engine"
import { orderInput } from "./order-input.ts"
import type { ShopConfig } from "./shop-config.ts"
import { chargeCard } from "./steps/charge-card.ts"
import { checkStock } from "./steps/check-stock.ts"
import { createOrder } from "./steps/create-order.ts"
import { findCustomer } from "./steps/find-customer.ts"
import { priceOrder } from "./steps/price-order.ts"
import { sendConfirmation } from "./steps/send-confirmation.ts"
import { validateCart } from "./steps/validate-cart.ts"

export type OrderProcessing = ReturnType<typeof orderProcessing>

/**
 * An order, from the cart to the confirmation.
 *
 * ```
 *                 ┌─ check_stock ──┐
 * validate_cart ──┼─ price_order ──┴─ charge_card ─┐
 *                 └─ find_customer ────────────────┴─ create_order ── send_confirmation
 * ```
 *
 * `order_processing.yaml` says the same in YAML; a test compares the two.
 */
export function orderProcessing(config: ShopConfig) {
  return defineWorkflow({
    namespace: "ecommerce",
    name: "order_processing",
    version: "1.0.0",
    description: "Takes an order from the cart to the confirmation.",
    input: orderInput,
    maxAttempts: 4,
    backoff: { baseMs: 300, capMs: 5_000, factor: 2, jitter: 0.1 },
    timeoutMs: 5_000,
  })
    .step("validate_cart", { config, handler: validateCart })
    .step("check_stock", { dependsOn: ["validate_cart"], config, handler: checkStock })
    .step("price_order", { dependsOn: ["validate_cart"], config, handler: priceOrder })
    .step("find_customer", { dependsOn: ["validate_cart"], config, timeoutMs: 4_000, handler: findCustomer })
    .step("charge_card", { dependsOn: ["check_stock", "price_order"], config, priority: 1, handler: chargeCard })
    .step("create_order", {
      dependsOn: ["validate_cart", "find_customer", "charge_card"],
      config,
      maxAttempts: 6,
      handler: createOrder,
    })
    .step("send_confirmation", {
      dependsOn: ["find_customer", "charge_card", "create_order"],
      config,
      skippable: true,
      handler: sendConfirmation,
    })
}
