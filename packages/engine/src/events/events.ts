import { checkOptions } from "../core/check-options.ts"
import { describeValue } from "../core/describe-value.ts"
import { TaskerError } from "../core/error.ts"
import { describeCustomEvents, describeEngineEvents, type EventDescription } from "../core/events/describe-events.ts"
import type { EventPattern, EventsMatching, TaskerEvent } from "../core/events/event-map.ts"
import { patternProblem } from "../core/events/event-pattern.ts"
import type { EventHandler, SubscriberDefinition, SubscriberOptions } from "../core/events/subscriber.ts"
import { SUBSCRIBER_RULES } from "../core/events/subscriber-rules.ts"
import type { WorkflowDefinition } from "../core/workflow.ts"
import type { FeedEvent } from "./feed-reader.ts"
import type { Feeds } from "./feeds.ts"
import type { Feed, FollowOptions } from "./follow.ts"
import type { DurableHandler } from "./handle-event.ts"
import type { SubscribeOptions, Subscription } from "./subscribe.ts"
import type { EventBus, SubscriberStats } from "./event-bus.ts"

export interface EventSubscriptionOptions<Event = TaskerEvent> extends SubscriberOptions<Event> {
  /** What reports of its failures call it. Default: the pattern. */
  readonly name?: string | undefined
}

/** What happens in this process, and whom to tell. */
export interface Events {
  /**
   * Calls `handler` for every event of this process that the pattern stands for: a name, or a wildcard such as
   * `step.*` or `*`. Events are told after what they say is committed, each subscriber's in order and one at a time.
   *
   * Whoever published never waits for it. One that throws, rejects or hangs harms nobody: it is logged, counted in
   * `stats()` and told as `subscriber.failed` or `subscriber.timed_out`.
   *
   * @returns a function that ends the subscription, what waits for it included; it may be called twice
   * @throws TaskerError `TASKER_OPTION_INVALID` when the pattern stands for no event that there can be, or an option
   *   is unknown or out of its range
   *
   * @example
   * ```ts
   * tasker.events.on("step.failed", ({ payload }) => {
   *   alert(`${payload.step} of ${payload.taskId}: ${payload.error?.message}`)
   * })
   * ```
   */
  on<Pattern extends string>(
    pattern: EventPattern<Pattern>,
    handler: EventHandler<EventsMatching<Pattern>>,
    options?: EventSubscriptionOptions<EventsMatching<Pattern>>,
  ): () => void
  /**
   * Follows all that happens in the whole system, whichever process does it, as it is written into history: each step's
   * events in order, a task's too, and nothing before what it follows from. Nothing is left out: begun again behind the
   * `cursor` of any event that was delivered, it goes on with the next. Only around the end of a broken connection or
   * process may an event come twice.
   *
   * Ends with `return()`, with its `signal` (quietly, not by an error), and with the Tasker. A slow reader holds no
   * connection. While the database is away, the feed waits for it.
   *
   * @throws TaskerError `TASKER_CURSOR_INVALID` when `after` is no cursor; reading throws it when it is one of another database
   *
   * @example
   * ```ts
   * for await (const event of tasker.events.follow({ after: await readCursor(), events: ["task.*"] })) {
   *   await send(event)
   *   await writeCursor(event.cursor)
   * }
   * ```
   */
  follow<Pattern extends string = "*">(options?: FollowOptions<Pattern>): Feed<EventsMatching<Pattern>>
  /**
   * All events that there are: those of the engine, then those that the workflows of this process declare, by name. To be
   * searched by `searchEvents`, and printed by `formatCatalogue`.
   */
  catalogue(): readonly EventDescription[]
  /**
   * Subscribes for good: every event of the whole system reaches a handler at least once, across restarts, in order and
   * one at a time, in one process of all that subscribe under this name. Where it stands is kept in the database.
   *
   * An event whose handler throws, rejects or takes too long is tried again, after a while, and those after it wait;
   * unless `skipAfter` says when to set it aside. Each failure is logged and told as `subscription.failed`. When its
   * process dies, another one goes on once its lease is over. What was handled just before may be handled again.
   *
   * @param name - by the rule for names: lower case, digits and underscores
   * @param on - a handler for each event, by its name or a wildcard; all that match are called, one after the other
   * @returns once the database knows it: what happens from then on is handled
   *
   * @example
   * ```ts
   * await tasker.events.subscribe("billing", {
   *   "task.completed": async ({ payload }, { signal }) => await invoice(payload.taskId, { signal }),
   * })
   * ```
   */
  subscribe<Pattern extends string>(
    name: string,
    on: {
      readonly [One in Pattern]: EventPattern<One> extends One
        ? DurableHandler<FeedEvent<EventsMatching<One>>>
        : EventPattern<One>
    },
    options?: SubscribeOptions,
  ): Promise<Subscription>
  /** What each subscriber of this process was told, failed at and missed, in the order in which they subscribed. */
  stats(): readonly SubscriberStats[]
  /** Settles when every subscriber has dealt with all that was published so far, and with what that brought about. */
  drained(): Promise<void>
}

/** @param definitions - the workflows of this process */
export function createEvents(bus: EventBus, feeds: Feeds, definitions: () => readonly WorkflowDefinition[]): Events {
  return {
    // A feed gives only what its `events` stand for.
    follow: (options = {}) => feeds.follow(options) as Feed<never>,
    on(given, handler, options = {}) {
      // What the types refuse is refused here too.
      const pattern = given as string
      const problem = patternProblem(pattern)
      if (problem !== undefined) throw new TaskerError("TASKER_OPTION_INVALID", problem.message, { hint: problem.hint })
      if (typeof handler !== "function") {
        throw new TaskerError(
          "TASKER_OPTION_INVALID",
          `expected handler to be a function, got ${describeValue(handler)}`,
        )
      }
      checkOptions("events.on", options, RULES, "TASKER_OPTION_INVALID")
      const { name = pattern, timeoutMs, maxPending, immediate } = options
      return bus.subscribe({
        name,
        // The bus gives a handler only what its pattern stands for: so it is for `filter` too.
        on: { [pattern]: handler as EventHandler },
        filter: options.filter as SubscriberDefinition<string>["filter"],
        timeoutMs,
        maxPending,
        immediate,
      })
    },
    catalogue: () => [...describeEngineEvents(), ...describeCustomEvents(definitions())],
    subscribe: (name, on, options = {}) => feeds.subscribe(name, on, options),
    stats: () => bus.stats(),
    drained: () => bus.drained(),
  }
}

const RULES = {
  name: {
    rule: "text of 1 to 200 characters",
    accepts: (value: unknown) => typeof value === "string" && /^.{1,200}$/su.test(value),
  },
  ...SUBSCRIBER_RULES,
}
