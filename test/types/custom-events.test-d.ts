/**
 * Tests of the types of a user's own events. Here, where it is merged into nothing but the tests, and as users do it:
 * from another package. What the compiler prints for the negative ones is quoted above each.
 */

import {
  type CustomEvent,
  defineSubscriber,
  defineWorkflow,
  type EventHandler,
  type EventNamed,
  type Events,
  type TaskerEvent,
  type UntypedEvent,
} from "@tasker/engine"

interface Shipped {
  readonly parcel: string
}

declare module "@tasker/engine" {
  interface CustomEvents {
    readonly "order.shipped": Shipped
    readonly "order.weighed": number
    readonly "shop.till.opened": null
    // What nobody can publish is no event for it: the engine's names, and one without a dot.
    readonly "step.failed": Shipped
    readonly "step.shipped": Shipped
    readonly shipped: Shipped
  }
}

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function expect<T extends true>(): T
declare const events: Events

expect<
  Equal<
    CustomEvent,
    EventNamed<"order.shipped"> | EventNamed<"order.weighed"> | EventNamed<"shop.till.opened"> | UntypedEvent
  >
>()

// ------------------------------------------------------------------ on

events.on(
  "order.shipped",
  (event) => {
    expect<Equal<typeof event, EventNamed<"order.shipped">>>()
    expect<Equal<typeof event.payload.body, Shipped>>()
    expect<Equal<typeof event.payload.step, string>>()
    // Property 'colour' does not exist on type 'Shipped'.
    // @ts-expect-error the message is quoted above
    void event.payload.body.colour
  },
  { filter: ({ payload }) => payload.body.parcel !== "" },
)

// Of an event that is not named there, nothing is known.
events.on("order.lost", (event) => {
  expect<Equal<typeof event, UntypedEvent>>()
  expect<Equal<typeof event.payload.body, unknown>>()
})

// Others may come under the same wildcard.
events.on("order.*", (event) => {
  expect<Equal<typeof event, EventNamed<"order.shipped"> | EventNamed<"order.weighed"> | UntypedEvent>>()
  if (event.name === "order.shipped") expect<Equal<typeof event.payload.body, Shipped>>()
  else expect<Equal<typeof event, EventNamed<"order.weighed"> | UntypedEvent>>()
})
events.on(
  "shop.*",
  (event) => expect<Equal<typeof event, EventNamed<"shop.till.opened"> | UntypedEvent>>() && undefined,
)
events.on("invoice.*", (event) => expect<Equal<typeof event, UntypedEvent>>() && undefined)
events.on("*.order.*", (event) => expect<Equal<typeof event, TaskerEvent>>() && undefined)

events.on("*", ({ name, payload }) => {
  if (name === "order.weighed") expect<Equal<typeof payload.body, number>>()
  if (name === "step.failed") expect<Equal<typeof payload, EventNamed<"step.failed">["payload"]>>()

  // This comparison appears to be unintentional because ... and '"order.shiped"' have no overlap.
  // @ts-expect-error the message is quoted above
  void (name === "order.shiped")
})

// A handler of its own may ask for the event, or for more than it.
declare const ofShipped: EventHandler<EventNamed<"order.shipped">>
declare const ofCustom: EventHandler<CustomEvent>
declare const ofAny: EventHandler
events.on("order.shipped", ofShipped)
for (const handler of [ofCustom, ofAny]) {
  events.on("order.shipped", handler)
  events.on("order.*", handler)
  events.on("order.lost", handler)
}

// Type 'EventNamed<"order.weighed">' is not assignable to type 'EventNamed<"order.shipped">'.
// @ts-expect-error the message is quoted above
events.on("order.*", ofShipped)

// The engine's stay what they are, and no event of a user's begins as they do.
events.on("step.failed", ({ payload }) => expect<Equal<typeof payload.maxAttempts, number>>() && undefined)

// Argument of type 'string' is not assignable to parameter of type 'DagError<"no event is called \"step.shipped\"">'.
// @ts-expect-error the message is quoted above
events.on("step.shipped", () => {})

// Type '"shipped"' does not satisfy the constraint ...
// @ts-expect-error the message is quoted above
export type NoDot = EventNamed<"shipped">

// ------------------------------------------------------------------ the feed, and subscriptions

async function follow() {
  for await (const event of events.follow()) {
    if (event.name === "order.shipped") expect<Equal<typeof event.payload.body, Shipped>>()
  }
  for await (const event of events.follow({ events: ["order.shipped", "task.failed", "order.lost"] })) {
    if (event.name === "order.shipped") expect<Equal<typeof event.payload.body, Shipped>>()
    else if (event.name === "task.failed") expect<Equal<typeof event.payload.taskId, string>>()
    else expect<Equal<typeof event.payload.body, unknown>>()
  }
}
void follow

void events.subscribe("audit", {
  "order.shipped": ({ payload, cursor }) =>
    expect<Equal<[typeof payload.body, typeof cursor], [Shipped, string]>>() && undefined,
  "order.lost": ({ payload }) => expect<Equal<typeof payload.body, unknown>>() && undefined,
  "order.*": ({ name, payload }) => {
    if (name === "order.weighed") expect<Equal<typeof payload.body, number>>()
  },
})

defineSubscriber({
  name: "audit",
  on: {
    "order.shipped": ({ payload }) => expect<Equal<typeof payload.body, Shipped>>() && undefined,
    "order.lost": ({ payload }) => expect<Equal<typeof payload.body, unknown>>() && undefined,
  },
  filter: (event) => event.name !== "order.shipped" || event.payload.body.parcel !== "",
})

// ------------------------------------------------------------------ publishing

// What a step may publish is what it declares, as it is without any of this.
const order = { name: "ship_order", version: "1.0.0" }

// Argument of type 'string' is not assignable to parameter of type 'DagError<"neither this step nor its workflow declares events: add `events`">'.
// @ts-expect-error the message is quoted above
defineWorkflow(order).step("ship", { handler: ({ publish }) => publish("order.shipped", { parcel: "" }) })

defineWorkflow<unknown, unknown, { "order.shipped": Shipped }>({ ...order, events: { "order.shipped": {} } }).step(
  "ship",
  {
    handler: ({ publish }) => {
      publish("order.shipped", { parcel: "" })

      // Type 'number' is not assignable to type 'string'.
      // @ts-expect-error the message is quoted above
      publish("order.shipped", { parcel: 1 })

      // Argument of type '"order.weighed"' is not assignable to parameter of type '"order.shipped"'.
      // @ts-expect-error the message is quoted above
      publish("order.weighed", 1)
    },
  },
)
