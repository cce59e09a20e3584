/** Tests of the types of events. `tsc -b` runs them; what it prints for the negative ones is quoted above each. */

import type { CustomEvent, EngineEvent, EventName, EventNamed, TaskerEvent } from "../core/events/event-map.ts"
import type { QueueLimit, StepChange } from "../core/events/event-payloads.ts"
import { orNull, type PayloadField, type PayloadFields } from "../core/events/payload-field.ts"
import type { StepState } from "../core/state.ts"
import type { Events } from "./events.ts"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function expect<T extends true>(): T
declare const events: Events
declare const anyPattern: string

events.on("step.completed", (event) => {
  expect<Equal<typeof event, EventNamed<"step.completed">>>()
  expect<Equal<typeof event.payload.to, StepState>>()
})

// A wildcard gives a union, which the name tells apart.
events.on("worker.*", (event) => {
  if (event.name === "worker.stopped") expect<Equal<typeof event.payload.handedBackCount, number | null>>()
  // Property 'handedBackCount' does not exist on type 'LostWorker | RecoveredWorker | StartedWorker | WorkerBeat | WorkerFacts | WorkerTrouble'.
  // @ts-expect-error the message is quoted above
  else void event.payload.handedBackCount
})

events.on("*", (event) => {
  expect<Equal<typeof event, TaskerEvent>>()
  if (event.name === "step.failed") expect<Equal<typeof event, EventNamed<"step.failed">>>()
  // Property 'step' does not exist on type ...
  // @ts-expect-error the message is quoted above
  else void event.payload.step
})
events.on("*.failed", (event) => expect<Equal<typeof event, TaskerEvent>>() && undefined)
events.on(anyPattern, (event) => expect<Equal<typeof event, TaskerEvent>>() && undefined)

// What is none of the engine's was published by a step.
events.on("order.shipped", (event) => {
  expect<Equal<typeof event, CustomEvent>>()
  expect<Equal<typeof event.payload.body, unknown>>()
})
events.on("order.*", (event) => expect<Equal<typeof event, CustomEvent>>() && undefined)

events.on("step.failed", async ({ payload }) => void (await fetch(payload.step)), {
  name: "pager",
  filter: ({ payload }) => payload.maxAttempts > 1,
  timeoutMs: 1_000,
  maxPending: 10,
})

// Argument of type 'string' is not assignable to parameter of type 'DagError<"no event is called \"step.completd\"">'.
// @ts-expect-error the message is quoted above
events.on("step.completd", () => {})

// Argument of type 'string' is not assignable to parameter of type 'DagError<"no event is called \"step.completed.*\"">'.
// @ts-expect-error the message is quoted above
events.on("step.completed.*", () => {})

// Property 'handedBackCount' does not exist on type 'StepChange'.
// @ts-expect-error the message is quoted above
events.on("step.completed", ({ payload }) => void payload.handedBackCount)

// Object literal may only specify known properties, but 'timeout' does not exist in type 'EventSubscriptionOptions<EventNamed<"step.completed">>'. Did you mean to write 'timeoutMs'?
// @ts-expect-error the message is quoted above
events.on("step.completed", () => {}, { timeout: 1_000 })

// The name narrows whatever there may be: events of users have other names, with a dot as those of the engine.
expect<Equal<EventName, Extract<EventName, `${string}.${string}`>>>()
export function narrow(told: TaskerEvent): void {
  if (told.name === "step.failed") expect<Equal<typeof told, EventNamed<"step.failed">>>()
  else expect<Equal<typeof told, Exclude<TaskerEvent, EventNamed<"step.failed">>>>()
  switch (told.name) {
    case "task.failed":
    case "task.completed":
      expect<Equal<typeof told, EventNamed<"task.failed"> | EventNamed<"task.completed">>>()
      break
    case "queue.limited":
      expect<Equal<typeof told.payload, QueueLimit>>()
      break
    default:
      expect<Equal<Extract<typeof told, CustomEvent>, CustomEvent>>()
  }
  // It is text for all that.
  expect<Equal<ReturnType<typeof told.name.toUpperCase>, string>>()

  // This comparison appears to be unintentional because ... and '"step.complted"' have no overlap.
  // @ts-expect-error the message is quoted above
  void (told.name === "step.complted")
}

declare const event: EngineEvent
if (event.name === "observability.step.backoff") expect<Equal<typeof event.payload.delayMs, number | null>>()

async function follow() {
  for await (const followed of events.follow()) {
    expect<Equal<typeof followed, TaskerEvent & { readonly cursor: string }>>()
    if (followed.name === "step.failed") expect<Equal<typeof followed.payload, StepChange>>()
  }
  for await (const followed of events.follow({ after: "beginning", events: ["task.completed", "step.completed"] })) {
    expect<Equal<typeof followed.name, "task.completed" | "step.completed">>()
    if (followed.name === "step.completed") expect<Equal<typeof followed.payload.to, StepState>>()
  }
  for await (const followed of events.follow({ events: [anyPattern] })) expect<Equal<typeof followed.cursor, string>>()
}
void follow

// Type 'string' is not assignable to type 'DagError<"no event is called \"step.complete\"">'.
// @ts-expect-error the message is quoted above
void events.follow({ events: ["step.complete"] })

// The fields of a payload are those of its type, each with its type.
declare const integerField: PayloadField<number>
declare const textField: PayloadField<string>
declare const queueFields: PayloadFields<QueueLimit>
expect<Equal<keyof typeof queueFields, "maxRunning" | "queue">>()

// Property 'maxRunning' is missing in type '{ queue: PayloadField<string>; }' but required in type 'PayloadFields<QueueLimit>'.
// @ts-expect-error the message is quoted above
export const missing: PayloadFields<QueueLimit> = { queue: textField }

const limit = orNull(integerField)

// Object literal may only specify known properties, and 'more' does not exist in type 'PayloadFields<QueueLimit>'.
// @ts-expect-error the message is quoted above
export const tooMuch: PayloadFields<QueueLimit> = { queue: textField, maxRunning: limit, more: textField }

// Type 'PayloadField<number>' is not assignable to type 'PayloadField<number | null>'...
// @ts-expect-error the message is quoted above
export const neverNull: PayloadFields<QueueLimit> = { queue: textField, maxRunning: integerField }

void events.subscribe("audit", {
  "step.completed": ({ payload, cursor }, { signal, attempt }) => {
    expect<Equal<typeof payload.to, StepState>>()
    expect<Equal<typeof cursor, string>>()
    expect<Equal<typeof signal, AbortSignal>>()
    expect<Equal<typeof attempt, number>>()
  },
  "*": ({ name, payload }) => {
    if (name === "step.failed") expect<Equal<typeof payload, StepChange>>()
  },
  "task.*": async ({ name }) => void (await Promise.resolve(name === "task.failed")),
  "order.shipped": ({ payload }) => expect<Equal<typeof payload.body, unknown>>() && undefined,
})

// Type '() => void' is not assignable to type 'DagError<"no event is called \"step.complete\"">'.
// @ts-expect-error the message is quoted above
void events.subscribe("audit", { "step.complete": () => {} })
