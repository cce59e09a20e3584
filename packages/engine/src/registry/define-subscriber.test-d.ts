/** Tests of the types of subscribers that are written by themselves. What the compiler prints is quoted above each negative one. */

import type { EventNamed, EventsMatching, TaskerEvent, UntypedEvent } from "../core/events/event-map.ts"
import type { EventHandler, Subscriber, SubscriberDefinition } from "../core/events/subscriber.ts"
import { defineSubscriber } from "./define-subscriber.ts"
import type { SubscriberRegistry } from "./subscriber-registry.ts"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function expect<T extends true>(): T

declare const ofFailed: EventHandler<EventNamed<"step.failed">>
declare const ofAny: EventHandler

// Each handler is given what its pattern stands for, and the filter all of that.
const pager = defineSubscriber({
  name: "pager",
  on: {
    "step.failed": (event) => {
      expect<Equal<typeof event, EventNamed<"step.failed">>>()
      // Property 'handedBackCount' does not exist on type 'StepChange'.
      // @ts-expect-error the message is quoted above
      void event.payload.handedBackCount
    },
    "task.*": async ({ name, payload }) => {
      if (name === "task.refused") expect<Equal<typeof payload.correlationId, string | null>>()
    },
    "order.shipped": (event) => expect<Equal<typeof event, UntypedEvent>>() && undefined,
    "order.*": (event) => expect<Equal<typeof event, UntypedEvent>>() && undefined,
  },
  filter: (event) => {
    expect<Equal<typeof event, EventsMatching<"step.failed" | "task.*" | "order.*">>>()
    return event.name !== "task.paused"
  },
  timeoutMs: 1_000,
})
expect<Equal<(typeof pager.on)["step.failed"], EventHandler<EventNamed<"step.failed">>>>()

defineSubscriber({
  name: "all",
  on: { "*": (event) => expect<Equal<typeof event, TaskerEvent>>() && undefined, "*.failed": ofAny },
  filter: (event) => event.name === "step.failed" && event.payload.attempt === 3,
})

// Handlers of their own.
defineSubscriber({ name: "own", on: { "step.failed": ofFailed, "step.completed": ofAny, "worker.*": ofAny } })

// Type 'EventNamed<"step.completed">' is not assignable to type 'EventNamed<"step.failed">'.
// @ts-expect-error the message is quoted above
defineSubscriber({ name: "own", on: { "step.completed": ofFailed } })

// Type '() => void' is not assignable to type 'DagError<"no event is called \"step.complted\"">'.
// @ts-expect-error the message is quoted above
defineSubscriber({ name: "typo", on: { "step.failed": ofFailed, "step.complted": () => {} } })

// Type 'EventHandler' is not assignable to type 'DagError<"no event is called \"worker.step.*\"">'.
// @ts-expect-error the message is quoted above
defineSubscriber({ name: "typo", on: { "worker.step.*": ofAny } })

// Object literal may only specify known properties, but 'timeout' does not exist in type 'SubscriberDefinition<"step.failed">'. Did you mean to write 'timeoutMs'?
// @ts-expect-error the message is quoted above
defineSubscriber({ name: "typo", on: { "step.failed": ofFailed }, timeout: 1 })

// ------------------------------------------------------------------ registering

declare const registry: SubscriberRegistry
declare const record: Readonly<Record<string, EventHandler>>
const list: readonly Subscriber[] = [pager, defineSubscriber({ name: "computed", on: record })]
for (const one of list) registry.register(one)
registry.register(pager)
registry.register({ name: "here", on: { "step.failed": ({ payload }) => void payload.step } })

// Type '() => void' is not assignable to type 'DagError<"no event is called \"step.complted\"">'.
// @ts-expect-error the message is quoted above
registry.register({ name: "here", on: { "step.complted": () => {} } })

// A type that is written says the patterns.
export const written: SubscriberDefinition<"step.failed"> = { name: "written", on: { "step.failed": ofFailed } }
registry.register(written)

// In a list nothing tells the patterns, so each is defined.

// Property '[madeByDefineSubscriber]' is missing in type ... but required in type 'Subscriber'.
// @ts-expect-error the message is quoted above
export const blind: Subscriber = { name: "blind", on: { "step.complted": () => {} } }
