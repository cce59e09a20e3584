import { TaskerError } from "../core/error.ts"
import type { EventsMatching, TaskerEvent } from "../core/events/event-map.ts"
import { isEventPattern } from "../core/events/event-pattern.ts"
import type { EventHandler, Subscriber } from "../core/events/subscriber.ts"
import type { EventBus } from "./event-bus.ts"

export interface EventSubscriptionOptions<Event = TaskerEvent> {
  /** What reports of its failures call it. Default: the pattern. */
  readonly name?: string | undefined
  /** Only events for which it returns true are delivered. Default: all. */
  readonly filter?: ((event: Event) => boolean) | undefined
}

/** What happens in this process, and whom to tell. */
export interface Events {
  /**
   * Calls `handler` for every event of this process that the pattern stands for: a name, or a wildcard such as
   * `step.*` or `*`. Events are told after what they say is committed.
   *
   * @returns a function that ends the subscription; it may be called twice
   * @throws TaskerError `TASKER_OPTION_INVALID` when the pattern can be no name of an event
   *
   * @example
   * ```ts
   * tasker.events.on("step.failed", ({ payload }) => {
   *   alert(`${payload.step} of ${payload.taskId}: ${payload.error?.message}`)
   * })
   * ```
   */
  on<Pattern extends string>(
    pattern: Pattern,
    handler: EventHandler<EventsMatching<Pattern>>,
    options?: EventSubscriptionOptions<EventsMatching<Pattern>>,
  ): () => void
}

export function createEvents(bus: EventBus): Events {
  return {
    on(pattern, handler, { name = pattern, filter } = {}) {
      if (!isEventPattern(pattern)) {
        throw new TaskerError(
          "TASKER_OPTION_INVALID",
          `expected pattern to be a name such as "step.completed" or a wildcard such as "step.*", got "${pattern}"`,
        )
      }
      // The bus gives a handler only what its pattern stands for: so it is for `filter` too.
      return bus.subscribe({ name, on: { [pattern]: handler as EventHandler }, filter: filter as Subscriber["filter"] })
    },
  }
}
