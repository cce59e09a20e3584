import { EVENT_CATALOGUE } from "../core/events/catalogue.ts"
import type { EventName, EventPayloads, TaskerEvent } from "../core/events/event-map.ts"
import { matchesPattern } from "../core/events/event-pattern.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import type { Subscriber } from "../core/events/subscriber.ts"

/** Tells the subscribers of this process what happens in it. */
export interface EventBus extends EventSink {
  /** @returns a function that ends the subscription; it may be called twice */
  subscribe(subscriber: Subscriber): () => void
}

/** @param now - the clock */
export function createEventBus(now: () => Date): EventBus {
  const subscribers = new Set<Subscriber>()
  // Whether anybody wants it, by name: asked for each step.
  const wanted = new Set<string>()

  function refresh(): void {
    wanted.clear()
    const patterns = [...subscribers].flatMap(({ on }) => Object.keys(on))
    for (const name of Object.keys(EVENT_CATALOGUE)) {
      if (patterns.some((pattern) => matchesPattern(pattern, name))) wanted.add(name)
    }
  }

  function deliver(event: TaskerEvent): void {
    for (const { on, filter } of subscribers) {
      for (const [pattern, handle] of Object.entries(on)) {
        if (matchesPattern(pattern, event.name) && (filter?.(event) ?? true)) void handle(event)
      }
    }
  }

  return {
    wants: (name) => wanted.has(name),
    publish: <Name extends EventName>(name: Name, payload: EventPayloads[Name]) => {
      // The pair is right by the signature; the compiler does not follow it into the union.
      if (wanted.has(name)) deliver({ name, at: now(), payload } as TaskerEvent)
    },
    subscribe(subscriber) {
      subscribers.add(subscriber)
      refresh()
      return () => {
        subscribers.delete(subscriber)
        refresh()
      }
    },
  }
}
