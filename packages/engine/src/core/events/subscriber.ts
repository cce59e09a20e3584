import type { EventPattern, EventsMatching, TaskerEvent } from "./event-map.ts"

/** What is done with an event. A promise that it returns is waited for before the subscriber gets its next event. */
export type EventHandler<Event = TaskerEvent> = (event: Event) => void | Promise<void>

/** How a subscriber is told. */
export interface SubscriberOptions<Event = TaskerEvent> {
  /**
   * Only events for which it returns true are delivered. It is asked while the event is published, so it should be
   * quick; one that throws counts as a failure, and the event is not delivered. Default: all.
   */
  readonly filter?: ((event: Event) => boolean) | undefined
  /**
   * How long a handler may take over one event, in milliseconds, from 1 to 2_147_483_647. One that takes longer is not
   * waited for any more: it may still run when the next event comes. Default: 30_000.
   */
  readonly timeoutMs?: number | undefined
  /**
   * How many events may wait for the subscriber, from 1 to 1_000_000. When more come, those that have waited longest are
   * dropped and counted. Default: 10_000.
   */
  readonly maxPending?: number | undefined
  /**
   * Whether the handler is called while the event is published, before whoever published goes on. Nothing waits for it, so
   * nothing is dropped; but what it takes, each step takes longer. For counting, which is over at once; a promise that it
   * returns is not waited for. Default: false.
   */
  readonly immediate?: boolean | undefined
}

/** A subscriber as it is written, with handlers for these patterns. */
export interface SubscriberDefinition<Pattern extends string> extends SubscriberOptions<EventsMatching<Pattern>> {
  /** What reports of its failures call it. */
  readonly name: string
  /** A handler per event, by its name or a wildcard: `"step.completed"`, `"step.*"`, `"*"`. Each that matches is called, once. */
  readonly on: {
    readonly [One in Pattern]: EventPattern<One> extends One ? EventHandler<EventsMatching<One>> : EventPattern<One>
  }
}

/** Somebody who is told what happens in this process, whatever it has handlers for. `defineSubscriber` makes one. */
export interface Subscriber extends SubscriberOptions<never> {
  readonly name: string
  readonly on: object
  /** For the compiler alone: each handler fits its pattern. */
  readonly [madeByDefineSubscriber]: true
}
declare const madeByDefineSubscriber: unique symbol
