/**
 * Tests of the types of the builder, the template and the handlers. `tsc -b`
 * runs them: an assertion that does not hold, or an error that does not occur,
 * fails the build. Nothing here runs.
 *
 * Each `@ts-expect-error` is a negative test; the comment above it quotes what
 * the compiler prints.
 */

/* oxlint-disable typescript/no-unsafe-call, typescript/no-unsafe-return -- what is refused on purpose has no type */

import { type } from "arktype"
import * as v from "valibot"
import { z } from "zod"
import { defineTemplate } from "./define-template.ts"
import { defineWorkflow } from "./define-workflow.ts"
import type { Logger } from "./logger.ts"
import type {
  AnyWorkflow,
  CreateInputOf,
  InputOf,
  ResultsOf,
  StepHandler,
  StepTransaction,
  TransactionalStepHandler,
  WorkflowId,
} from "./workflow.ts"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function expect<T extends true>(): T

interface OrderInput {
  readonly cartId: string
  readonly customerEmail: string
}
interface PricedCart {
  readonly lines: readonly { readonly sku: string; readonly cents: number }[]
  readonly totalCents: number
}
interface Charge {
  readonly chargeId: string
  readonly cents: number
}

const order = { namespace: "shop", name: "process_order", version: "1.2.0" }

// A handler in its own file asks for what it needs and no more.
declare const chargeCard: StepHandler<OrderInput, { readonly price_cart: PricedCart }, Charge>

const processOrder = defineWorkflow<OrderInput>(order)
  .step("price_cart", {
    timeoutMs: 5_000,
    handler: async ({ input }): Promise<PricedCart> => ({
      lines: [{ sku: input.cartId, cents: 100 }],
      totalCents: 100,
    }),
  })
  .step("find_coupon", {
    skippable: true,
    handler: ({ input }) => ({ percent: input.customerEmail.length }),
  })
  .step("charge_card", { dependsOn: ["price_cart"], maxAttempts: 5, handler: chargeCard })
  .step("ship", {
    // The order of the keys does not matter: `handler` may come first.
    handler: async ({ input, results }) => {
      expect<Equal<typeof input, OrderInput>>()
      expect<Equal<typeof results.charge_card, Charge>>()
      expect<Equal<typeof results.find_coupon, { percent: number } | undefined>>()
      expect<Equal<keyof typeof results, "charge_card" | "find_coupon">>()
      return `parcel for ${results.charge_card.chargeId}`
    },
    dependsOn: ["charge_card", "find_coupon"],
  })
  .step("say_thanks", { dependsOn: ["ship"], handler: async () => {} })
  .step("no_dependencies", { dependsOn: [], handler: ({ results }) => Object.keys(results).length })

expect<Equal<InputOf<typeof processOrder>, OrderInput>>()
expect<Equal<ResultsOf<typeof processOrder>["ship"], string>>()
expect<Equal<ResultsOf<typeof processOrder>["say_thanks"], void>>()
expect<Equal<ResultsOf<typeof processOrder>["find_coupon"], { percent: number } | undefined>>()
declare function registerWorkflow(workflow: AnyWorkflow): void
registerWorkflow(processOrder)

const two = defineWorkflow<OrderInput>(order)
  .step("load_cart", { handler: () => ({ id: "c1" }) })
  .step("price", { dependsOn: ["load_cart"], handler: () => ({ cents: 100 }) })

// Type '"prise"' is not assignable to type '"load_cart" | "price"'. Did you mean '"price"'?
// @ts-expect-error the message is quoted above
two.step("charge", { dependsOn: ["prise"], handler: () => 1 })

// Type '"charge"' is not assignable to type '"load_cart" | "price"'.
// @ts-expect-error a step cannot depend on itself, nor on a step below it
two.step("charge", { dependsOn: ["charge"], handler: () => 1 })

// Type 'string' is not assignable to type 'DagError<"no step is declared above this one, so it cannot depend on anything">'.
// @ts-expect-error the message is quoted above
defineWorkflow<OrderInput>(order).step("first", { dependsOn: ["second"], handler: () => 1 })

// Argument of type 'string' is not assignable to parameter of type 'DagError<"step \"price\" is already declared in this workflow">'.
// @ts-expect-error the message is quoted above
two.step("price", { handler: () => 1 })

// Argument of type 'string' is not assignable to parameter of type 'DagError<"a step name must be a string literal, not a computed string">'.
// @ts-expect-error the message is quoted above
two.step(String("price"), { handler: () => 1 })

// Property 'load_cart' does not exist on type '{ readonly price: { cents: number; }; }'.
// @ts-expect-error only direct dependencies are visible
two.step("charge", { dependsOn: ["price"], handler: ({ results }) => results.load_cart.id })

// Type '{ at: Date; }' is not assignable to type '...DagError<"a step result is stored as JSON, but result.at is a Date; return it as an ISO 8601 string">...'.
// @ts-expect-error the message is quoted above
two.step("stamp", { handler: () => ({ at: new Date() }) })

// Type 'Promise<{ rows: { total: bigint; }[]; }>' ... DagError<"a step result is stored as JSON, but result.rows[].total is a bigint; return it as a string">
// @ts-expect-error the message is quoted above
two.step("sum", { handler: async () => ({ rows: [{ total: 1n }] }) })

// Object literal may only specify known properties, but 'dependson' does not exist in type 'StepDefinition<OrderInput, {}, never, false, number, false, undefined, {}, {}>'. Did you mean to write 'dependsOn'?
// @ts-expect-error the message is quoted above
two.step("charge", { dependson: ["price"], handler: () => 1 })

// Type 'StepHandler<OrderInput, { readonly price_cart: PricedCart; }, Charge>' is not assignable to type '(context: StepContext<OrderInput, { readonly price: { cents: number; }; }, undefined> & PublisherOf<{}>) => ...'.
//   Property 'price_cart' is missing in type '{ readonly price: { cents: number; }; }' but required in type '{ readonly price_cart: PricedCart; }'.
// @ts-expect-error the handler needs a result that the step does not depend on
two.step("charge", { dependsOn: ["price"], handler: chargeCard })

// The YAML twin. The list need not be in order.
const processOrderTemplate = defineTemplate({
  ...order,
  steps: [
    { name: "charge_card", dependsOn: ["price_cart"], handler: "shop.charge_card", maxAttempts: 5 },
    { name: "price_cart", handler: "shop.price_cart", timeoutMs: 5_000 },
    { name: "ship", dependsOn: ["charge_card", "price_cart"], handler: "shop.ship" },
  ],
})

interface OrderResults {
  readonly price_cart: PricedCart
  readonly charge_card: Charge
  readonly ship: string
}

const fromTemplate = processOrderTemplate.implement<OrderInput, OrderResults>({
  price_cart: async ({ input }) => ({ lines: [], totalCents: input.cartId.length }),
  charge_card: chargeCard,
  ship: ({ results }) => {
    expect<Equal<keyof typeof results, "charge_card" | "price_cart">>()
    return results.charge_card.chargeId
  },
})
expect<Equal<ResultsOf<typeof fromTemplate>["charge_card"], Charge>>()
registerWorkflow(fromTemplate)

defineTemplate({
  ...order,
  steps: [
    // Type '"a"' is not assignable to type '"a" & DagError<"step \"a\" is declared twice in this template">'.
    // @ts-expect-error the message is quoted above
    { name: "a" },
    { name: "b", dependsOn: ["a"] },
    // @ts-expect-error as above, on the second declaration
    { name: "a", dependsOn: ["b"] },
  ],
})

defineTemplate({
  ...order,
  steps: [
    { name: "load_cart" },
    // Type '["lode_cart"]' is not assignable to type 'readonly ["lode_cart"] & DagError<"step \"price\" depends on \"lode_cart\", which this template does not declare">'.
    // @ts-expect-error the message is quoted above
    { name: "price", dependsOn: ["lode_cart"] },
  ],
})

defineTemplate({
  ...order,
  steps: [
    { name: "load" },
    // Type '["load", "c"]' is not assignable to type 'readonly ["load", "c"] & DagError<"dependency cycle: a -> c -> b -> a">'.
    // @ts-expect-error the message is quoted above
    { name: "a", dependsOn: ["load", "c"] },
    // Type '["a"]' is not assignable to type 'readonly ["a"] & DagError<"dependency cycle: b -> a -> c -> b">'.
    // @ts-expect-error the message is quoted above
    { name: "b", dependsOn: ["a"] },
    // Type '["load", "b"]' is not assignable to type 'readonly ["load", "b"] & DagError<"dependency cycle: c -> b -> a -> c">'.
    // @ts-expect-error the message is quoted above
    { name: "c", dependsOn: ["load", "b"] },
    // Waits for the cycle but is not on it, so it is not accused.
    { name: "d", dependsOn: ["c"] },
  ],
})

// Type '["a"]' is not assignable to type 'readonly ["a"] & DagError<"dependency cycle: a -> a">'.
// @ts-expect-error the message is quoted above
defineTemplate({ ...order, steps: [{ name: "a", dependsOn: ["a"] }] })

// Property 'ship' is missing in type '{ price_cart: ...; charge_card: ...; }' but required in type 'HandlersFor<...>'.
// @ts-expect-error the message is quoted above
processOrderTemplate.implement<OrderInput, OrderResults>({
  price_cart: () => ({ lines: [], totalCents: 0 }),
  charge_card: chargeCard,
})

processOrderTemplate.implement<OrderInput, OrderResults>({
  price_cart: () => ({ lines: [], totalCents: 0 }),
  // Property 'ship' does not exist on type '{ readonly price_cart: PricedCart; }'.
  // @ts-expect-error the message is quoted above
  charge_card: ({ results }) => results.ship,
  ship: () => "",
})

// ------------------------------------------------------------ the input schema

const defaults = defineWorkflow({
  name: "defaults",
  version: "1.0.0",
  input: z.object({ cartId: z.string(), express: z.boolean().default(false) }),
}).step("first", {
  handler: ({ input }) => {
    expect<Equal<typeof input, { cartId: string; express: boolean }>>()
    return input.express
  },
})

// Handlers see what the schema makes; a creator gives what it takes.
expect<Equal<InputOf<typeof defaults>, { cartId: string; express: boolean }>>()
expect<Equal<CreateInputOf<typeof defaults>, { cartId: string; express?: boolean | undefined }>>()
expect<Equal<CreateInputOf<typeof processOrder>, OrderInput>>()

const viaValibot = defineWorkflow({
  name: "valibot",
  version: "1.0.0",
  input: v.object({ cartId: v.optional(v.string(), "c1") }),
})
expect<Equal<InputOf<typeof viaValibot>, { cartId: string }>>()
expect<Equal<CreateInputOf<typeof viaValibot>, { cartId?: string | undefined }>>()

const viaArktype = defineWorkflow({ name: "arktype", version: "1.0.0", input: type({ cartId: "string = 'c1'" }) })
expect<Equal<InputOf<typeof viaArktype>, { cartId: string }>>()
expect<Equal<CreateInputOf<typeof viaArktype>, { cartId?: string }>>()

// A JSON Schema says nothing to the compiler: the type argument does.
const viaJsonSchema = defineWorkflow<OrderInput>({ ...order, input: { type: "object", required: ["cartId"] } })
expect<Equal<InputOf<typeof viaJsonSchema>, OrderInput>>()
const saysNothing = defineWorkflow({ ...order, input: { type: "object" } })
expect<Equal<InputOf<typeof saysNothing>, unknown>>()

// Type 'ZodObject<{ amount: ZodString; }, $strip>' is not assignable to type 'JsonSchema | StandardSchema<{ amount: number; }, { amount: number; }> | undefined'.
// @ts-expect-error the schema makes text, and the handlers are promised a number
defineWorkflow<{ amount: number }>({ ...order, input: z.object({ amount: z.string() }) })

// Type 'string' is not assignable to type 'JsonSchema | StandardSchema<OrderInput, OrderInput> | undefined'.
// @ts-expect-error the message is quoted above
defineWorkflow<OrderInput>({ ...order, input: "object" })

// Object literal may only specify known properties, but 'maxAttempt' does not exist in type 'WorkflowOptions<OrderInput, OrderInput, {}>'. Did you mean to write 'maxAttempts'?
// @ts-expect-error the message is quoted above
defineWorkflow<OrderInput>({ ...order, maxAttempt: 3 })

// -------------------------------------------------------- config and transactions

declare const insertOrder: TransactionalStepHandler<OrderInput, {}, { orderId: number }, { table: string }>
declare const postWithConfig: StepHandler<OrderInput, {}, string, { url: string }>

defineWorkflow<OrderInput>(order)
  .step("with_config", {
    config: { url: "https://shop.example", retries: 2 },
    handler: ({ config, log, idempotencyKey, workflow, correlationId }) => {
      expect<Equal<typeof config, { url: string; retries: number }>>()
      expect<Equal<typeof log, Logger>>()
      expect<Equal<typeof idempotencyKey, string>>()
      expect<Equal<typeof workflow, WorkflowId>>()
      expect<Equal<typeof correlationId, string>>()
      return config.url
    },
  })
  .step("without_config", {
    handler: ({ config }) => {
      expect<Equal<typeof config, undefined>>()
      return null
    },
  })
  .step("transactional", {
    dependsOn: ["with_config"],
    transactional: true,
    handler: async ({ tx, results }) => {
      expect<Equal<typeof tx, StepTransaction>>()
      const rows = await tx.query<{ id: number }>("insert into orders values ($1) returning id", [results.with_config])
      expect<Equal<typeof rows, readonly { id: number }[]>>()
      return rows.length
    },
  })
  // In a file of its own, with both.
  .step("insert_order", { transactional: true, config: { table: "orders" }, handler: insertOrder })
  .step("post", { config: { url: "https://shop.example" }, handler: postWithConfig })
  // A handler that asks for no config fits a step that has one.
  .step("charge", { config: { url: "" }, handler: async ({ input }: { readonly input: OrderInput }) => input.cartId })

// Property 'tx' does not exist on type 'StepContext<OrderInput, {}, undefined> & PublisherOf<{}>'.
// @ts-expect-error only a transactional step has a transaction
two.step("insert", { handler: ({ tx }) => tx.query("select 1").then(() => 1) })

// Property 'tx' is missing in type 'StepContext<OrderInput, {}, NoInfer<{ table: string; }>> & PublisherOf<{}>' but required in type 'TransactionalStepContext<OrderInput, {}, { table: string; }>'.
// @ts-expect-error a handler that needs a transaction, on a step that has none
two.step("insert", { config: { table: "orders" }, handler: insertOrder })

// Type 'undefined' is not assignable to type '{ url: string; }'.
// @ts-expect-error a handler that needs config, on a step that has none
two.step("post", { handler: postWithConfig })

// The types of 'config.url' are incompatible between these types.
// Type 'number' is not assignable to type 'string'.
// @ts-expect-error a handler that needs other config than its step has
two.step("post", { config: { url: 8080 }, handler: postWithConfig })

// Type '5' is not assignable to type 'Priority | undefined'.
// @ts-expect-error the message is quoted above
two.step("urgent", { priority: 5, handler: () => 1 })

// Both kinds of backoff; a list may be written anywhere an exponential one may.
defineWorkflow<OrderInput>({
  ...order,
  backoff: { delaysMs: [100, 1_000] },
  queue: "slow",
  priority: 1,
  timeoutMs: 5_000,
  maxAttempts: 5,
}).step("first", {
  backoff: { baseMs: 10, capMs: 100, factor: 3, jitter: 0 },
  queue: "fast",
  priority: 4,
  handler: () => 1,
})

// Property 'email' does not exist on type 'OrderInput'.
// @ts-expect-error the message is quoted above
two.step("mail", { handler: ({ input }) => input.email })

// ------------------------------------------------------------- more of the template

const skippableTemplate = defineTemplate({
  ...order,
  input: z.object({ cartId: z.string(), customerEmail: z.string().default("") }),
  steps: [
    { name: "price_cart", skippable: true, config: { currency: "EUR" } },
    { name: "charge_card", dependsOn: ["price_cart"], transactional: true },
  ],
})

const skippableWorkflow = skippableTemplate.implement<OrderInput, Pick<OrderResults, "price_cart" | "charge_card">>({
  price_cart: ({ config }) => {
    expect<Equal<typeof config, { readonly currency: "EUR" }>>()
    return { lines: [], totalCents: 0 }
  },
  charge_card: ({ results, tx }) => {
    expect<Equal<typeof results.price_cart, PricedCart | undefined>>()
    expect<Equal<typeof tx, StepTransaction>>()
    return { chargeId: "ch_1", cents: results.price_cart?.totalCents ?? 0 }
  },
})
expect<Equal<ResultsOf<typeof skippableWorkflow>["price_cart"], PricedCart | undefined>>()
expect<Equal<InputOf<typeof skippableWorkflow>, OrderInput>>()
expect<Equal<CreateInputOf<typeof skippableWorkflow>, { cartId: string; customerEmail?: string | undefined }>>()
expect<Equal<CreateInputOf<typeof fromTemplate>, OrderInput>>()

// Object literal may only specify known properties, and 'price_cart' does not exist in type 'DagError<"the template's input schema does not produce the Input that the handlers take">'.
// @ts-expect-error the message is quoted above
skippableTemplate.implement<{ amount: number }, {}>({ price_cart: () => 1, charge_card: () => 1 })

defineTemplate({ ...order, steps: [{ name: "a" }] }).implement<OrderInput, { a: { at: Date } }>({
  // Type '{ at: Date; }' is not assignable to type 'DagError<"a step result is stored as JSON, but result.at is a Date; return it as an ISO 8601 string"> | ...
  // @ts-expect-error the message is quoted above
  a: () => ({ at: new Date() }),
})

// Type '["a"]' is not assignable to type 'readonly ["a"] & DagError<"a step has no option \"dependson\"">'.
// @ts-expect-error the message is quoted above
defineTemplate({ ...order, steps: [{ name: "a" }, { name: "b", dependson: ["a"] }] })

// Type '7' is not assignable to type 'Priority | undefined'.
// @ts-expect-error the message is quoted above
defineTemplate({ ...order, steps: [{ name: "a", priority: 7 }] })
