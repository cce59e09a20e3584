/** Tests of the types of events that workflows and steps declare. What the compiler prints is quoted above each negative one. */

import * as v from "valibot"
import { z } from "zod"
import { defineTemplate } from "../define-template.ts"
import { defineWorkflow } from "../define-workflow.ts"
import type { EventPublisher } from "./declared-events.ts"
import type { PublishingStepHandler, TransactionalStepContext } from "../workflow.ts"

interface OrderInput {
  readonly cartId: string
}
interface Shipped {
  readonly parcel: string
}
const order = { namespace: "shop", name: "process_order", version: "1.2.0" }
const parcel = z.object({ parcel: z.string(), express: z.boolean().default(false) })

// Inferred, when the input is too.
defineWorkflow({ ...order, input: z.object({ cartId: z.string() }), events: { "order.shipped": parcel } })
  .step("ship", {
    events: { "order.delayed": v.object({ days: v.number() }), "order.noted": { type: "string" } },
    handler: ({ publish, input }) => {
      // What a schema takes, not what it makes: `express` has a default.
      publish("order.shipped", { parcel: input.cartId })
      publish("order.delayed", { days: 2 })
      // A JSON Schema says nothing to the compiler.
      publish("order.noted", "anything")

      // Argument of type '"order.shiped"' is not assignable to parameter of type '"order.delayed" | "order.noted" | "order.shipped"'.
      // @ts-expect-error the message is quoted above
      publish("order.shiped", { parcel: "" })

      // Type 'number' is not assignable to type 'string'.
      // @ts-expect-error the message is quoted above
      publish("order.shipped", { parcel: 1 })

      // Expected 2 arguments, but got 1.
      // @ts-expect-error the message is quoted above
      publish("order.shipped")
    },
  })
  .step("say_thanks", {
    dependsOn: ["ship"],
    // The events of another step are not this one's.
    handler: ({ publish }) => {
      publish("order.shipped", { parcel: "x" })
      // Argument of type '"order.delayed"' is not assignable to parameter of type '"order.shipped"'.
      // @ts-expect-error the message is quoted above
      publish("order.delayed", { days: 2 })
    },
  })

// Beside a type argument nothing is inferred: the bodies are written, or the steps declare the events.
defineWorkflow<OrderInput, OrderInput, { "order.shipped": Shipped }>({
  ...order,
  events: { "order.shipped": { type: "object", required: ["parcel"] } },
}).step("ship", { handler: ({ publish, input }) => publish("order.shipped", { parcel: input.cartId }) })

defineWorkflow<OrderInput>({
  ...order,
  // Object literal may only specify known properties, and '"order.shipped"' does not exist in type 'DagError<"write the bodies of the events as the third type argument, or declare the events on the steps">'.
  // @ts-expect-error the message is quoted above
  events: { "order.shipped": parcel },
})

const plain = defineWorkflow<OrderInput>(order)

// Argument of type 'string' is not assignable to parameter of type 'DagError<"neither this step nor its workflow declares events: add `events`">'.
// @ts-expect-error the message is quoted above
plain.step("ship", { handler: ({ publish }) => publish("order.shipped", {}) })

// Property '__dagError' is missing in type '...' but required in type 'DagError<"events of \"task\" are the engine's: begin the name with a word of your own">'.
// @ts-expect-error the message is quoted above
plain.step("ship", { events: { "task.shipped": parcel }, handler: () => 1 })

// Property '__dagError' is missing in type '...' but required in type 'DagError<"the name of an event needs a dot, as in \"order.shipped\"">'.
// @ts-expect-error the message is quoted above
plain.step("ship", { events: { shipped: parcel }, handler: () => 1 })

// Type 'number' is not assignable to type 'JsonSchema | StandardSchema<unknown, unknown>'.
// @ts-expect-error the message is quoted above
plain.step("ship", { events: { "order.shipped": 1 }, handler: () => 1 })

// A handler in its own file says what it publishes.
declare const shipOrder: PublishingStepHandler<OrderInput, {}, string, { readonly "order.shipped": Shipped }>
plain
  .step("ship", { events: { "order.shipped": parcel, "order.lost": {} }, handler: shipOrder })
  // Types of parameters 'context' and 'context' are incompatible.
  // Type '"order.shipped"' is not assignable to type '"order.lost"'.
  // @ts-expect-error the message is quoted above
  .step("again", { events: { "order.lost": {} }, handler: shipOrder })

// With a transaction, too.
declare const shipAtOnce: (
  context: TransactionalStepContext<OrderInput, {}> & EventPublisher<{ readonly "order.shipped": Shipped }>,
) => Promise<string>
plain.step("ship", { transactional: true, events: { "order.shipped": parcel }, handler: shipAtOnce })

// Type 'Shipped' is not assignable to type '{ parcel: number; }'.
// @ts-expect-error the step declares another body
plain.step("ship", { events: { "order.shipped": z.object({ parcel: z.number() }) }, handler: shipOrder })

// ------------------------------------------------------------------ the template

const template = defineTemplate({
  ...order,
  events: { "order.shipped": parcel },
  steps: [
    { name: "ship", events: { "order.delayed": v.object({ days: v.number() }), "order.noted": { type: "string" } } },
    { name: "say_thanks", dependsOn: ["ship"] },
  ],
})
template.implement<OrderInput, { readonly ship: number; readonly say_thanks: string }>({
  ship: ({ publish, input }) => {
    publish("order.shipped", { parcel: input.cartId })
    publish("order.delayed", { days: 2 })
    publish("order.noted", 1)
    return 1
  },
  say_thanks: ({ publish }) => {
    // Argument of type '"order.delayed"' is not assignable to parameter of type '"order.shipped"'.
    // @ts-expect-error the message is quoted above
    publish("order.delayed", { days: 2 })
    return ""
  },
})

// Property '__dagError' is missing in type '{}' but required in type 'DagError<"events of \"step\" are the engine's: begin the name with a word of your own">'.
// @ts-expect-error the message is quoted above
defineTemplate({ ...order, steps: [{ name: "ship", events: { "step.shipped": {} } }] })

// Property '__dagError' is missing in type '{}' but required in type 'DagError<"the name of an event needs a dot, as in \"order.shipped\"">'.
// @ts-expect-error the message is quoted above
defineTemplate({ ...order, events: { shipped: {} }, steps: [{ name: "ship" }] })
