import { eventError } from "../core/events/event-error.ts"
import type { EventName, EventPayloads, TaskerEvent } from "../core/events/event-map.ts"
import { matchesPattern } from "../core/events/event-pattern.ts"
import type { EventSink } from "../core/events/event-sink.ts"
import type { EventHandler, SubscriberDefinition } from "../core/events/subscriber.ts"
import { DEFAULT_SUBSCRIBER_OPTIONS } from "../core/events/subscriber-rules.ts"
import type { Logger } from "../core/logger.ts"
import type { Redact } from "../core/redact.ts"
import { type DeliveryCounts, SubscriberQueue, type Trouble } from "./subscriber-queue.ts"

/** What one subscriber was told. */
export interface SubscriberStats extends DeliveryCounts {
  readonly subscriber: string
  /** The names and wildcards that it asked for. */
  readonly patterns: readonly string[]
}

export interface EventBusOptions {
  /** The clock. */
  readonly now: () => Date
  readonly logger: Logger
  /** Hides secrets in what subscribers throw. All else comes without. */
  readonly redact: Redact
}

/** A subscriber, and what waits for it. */
interface Subscription {
  readonly subscriber: SubscriberDefinition<string>
  readonly queue: SubscriberQueue
}

/** Where the events of one name go. */
interface Route extends Subscription {
  readonly handlers: readonly EventHandler[]
}

/**
 * Tells the subscribers of this process what happens in it.
 *
 * Each subscriber has a queue of its own, which is worked off after whoever
 * published has gone on: so a subscriber that throws, hangs or is slow costs
 * nobody but itself.
 */
export class EventBus implements EventSink {
  readonly #options: EventBusOptions
  readonly #subscriptions = new Set<Subscription>()
  /** By the names of events that were asked for since somebody last came or went. The names that there are bound it. */
  readonly #routes = new Map<string, readonly Route[]>()

  constructor(options: EventBusOptions) {
    this.#options = options
  }

  wants(name: TaskerEvent["name"]): boolean {
    return this.#routesOf(name).length > 0
  }

  publish<Name extends EventName>(name: Name, payload: EventPayloads[Name]): void {
    this.#publish(name, payload)
  }

  deliver(event: TaskerEvent): void {
    this.#send(event)
  }

  batch(work: () => void): void {
    work()
  }

  /** @returns a function that ends the subscription, with what waits for it; it may be called twice */
  subscribe(subscriber: SubscriberDefinition<string>): () => void {
    const subscription = { subscriber, queue: this.#createQueue(subscriber) }
    this.#subscriptions.add(subscription)
    this.#routes.clear()
    return () => {
      if (!this.#subscriptions.delete(subscription)) return
      this.#routes.clear()
      subscription.queue.stop()
    }
  }

  /** In the order in which they subscribed. */
  stats(): readonly SubscriberStats[] {
    return [...this.#subscriptions].map(({ subscriber, queue }) => ({
      subscriber: subscriber.name,
      patterns: Object.keys(subscriber.on),
      ...queue.counts,
    }))
  }

  /**
   * Settles when every subscriber was told all that was published, what that brought about included.
   *
   * @param timeoutMs - settles after so long all the same. Default: not before
   */
  async drained(timeoutMs?: number): Promise<void> {
    const busy = (): readonly Subscription[] => [...this.#subscriptions].filter(({ queue }) => !queue.isIdle)
    const drain = async (): Promise<void> => {
      // What subscribers do may publish more.
      while (busy().length > 0) await Promise.all(busy().map(({ queue }) => queue.idle()))
    }
    await (timeoutMs === undefined ? drain() : within(drain(), timeoutMs))
  }

  /** Lets subscribers be told what waits for them, for so long; then ends all subscriptions. */
  async close(timeoutMs: number): Promise<void> {
    await this.drained(timeoutMs)
    for (const { subscriber, queue } of this.#subscriptions) {
      const fields = { subscriber: subscriber.name, pendingCount: queue.counts.pendingCount }
      if (!queue.isIdle) this.#options.logger.warn(fields, "closed before a subscriber was done")
      queue.stop()
    }
    this.#subscriptions.clear()
    this.#routes.clear()
  }

  #routesOf(name: string): readonly Route[] {
    const known = this.#routes.get(name)
    if (known !== undefined) return known
    const found = findRoutes(this.#subscriptions, name)
    this.#routes.set(name, found)
    return found
  }

  #publish<Name extends EventName>(
    name: Name,
    payload: EventPayloads[Name],
    except?: SubscriberDefinition<string>,
  ): void {
    if (this.#routesOf(name).length === 0) return
    // The pair is right by the signature; the compiler does not follow it into the union.
    this.#send({ name, at: this.#options.now(), payload } as TaskerEvent, except)
  }

  #send(event: TaskerEvent, except?: SubscriberDefinition<string>): void {
    const routes = this.#routesOf(event.name)
    if (routes.length === 0) return
    // What one subscriber does with it is nothing to the next. Only `at`, as every Date, can be set all the same.
    Object.freeze(event)
    freezeWhole(event.payload)
    for (const { subscriber, queue, handlers } of routes) {
      if (subscriber === except || !isWanted(subscriber, queue, event)) continue
      if (subscriber.immediate ?? false) queue.deliver(event, handlers)
      else queue.push(event, handlers)
    }
  }

  /** Troubles are told to all but the one who has them. */
  #createQueue(subscriber: SubscriberDefinition<string>): SubscriberQueue {
    const { now, logger, redact } = this.#options
    const { name } = subscriber
    const isDue = createThrottle(now)
    const queue = new SubscriberQueue({
      timeoutMs: subscriber.timeoutMs ?? DEFAULT_SUBSCRIBER_OPTIONS.timeoutMs,
      maxPending: subscriber.maxPending ?? DEFAULT_SUBSCRIBER_OPTIONS.maxPending,
      onTrouble: (trouble, event, thrown) => {
        const error = eventError(thrown, redact)
        if (isDue()) logger.warn({ ...queue.counts, subscriber: name, event: event.name, error }, MESSAGES[trouble])
        if (TROUBLES.has(event.name)) return
        this.#publish(`subscriber.${trouble}`, { subscriber: name, event: event.name, error }, subscriber)
      },
      onOverflow: (droppedCount) => {
        logger.warn({ ...queue.counts, subscriber: name, droppedCount }, "a subscriber is too slow, and missed events")
        this.#publish("subscriber.overflowed", { subscriber: name, droppedCount }, subscriber)
      },
    })
    return queue
  }
}

/** A failure over one of these is counted and logged, but no event: two failing subscribers would keep each other busy for ever. */
const TROUBLES: ReadonlySet<string> = new Set(["subscriber.failed", "subscriber.timed_out", "subscriber.overflowed"])

const MESSAGES: Readonly<Record<Trouble, string>> = {
  failed: "a subscriber threw",
  timed_out: "a subscriber took too long over an event, and is not waited for any more",
}

function findRoutes(subscriptions: ReadonlySet<Subscription>, name: string): readonly Route[] {
  return [...subscriptions].flatMap((subscription) => {
    const handlers = Object.entries(subscription.subscriber.on)
      .filter(([pattern]) => matchesPattern(pattern, name))
      .map(([, handle]) => handle)
    // One function under several patterns is one handler.
    return handlers.length === 0 ? [] : [{ ...subscription, handlers: [...new Set(handlers)] }]
  })
}

function isWanted({ filter }: SubscriberDefinition<string>, queue: SubscriberQueue, event: TaskerEvent): boolean {
  if (filter === undefined) return true
  try {
    const verdict: unknown = filter(event)
    if (typeof verdict === "boolean") return verdict
    // A promise would pass for true, and its rejection end the process.
    if (verdict instanceof Promise) verdict.catch(() => {})
    throw new TypeError("expected its filter to return true or false")
  } catch (error) {
    queue.trouble("failed", event, error)
    return false
  }
}

/** Freezes a payload, and what it holds: a body that was JSON, an error, lists. All of it was made for the event. */
function freezeWhole(value: object): void {
  Object.freeze(value)
  // Every object has fields that can be read. Entries would be made as arrays first.
  const fields = value as Readonly<Record<string, unknown>>
  for (const key in fields) {
    const field = fields[key]
    if (typeof field === "object" && field !== null && !Object.isFrozen(field)) freezeWhole(field)
  }
}

/** Whether a second has passed since it last said so: for log lines that would otherwise be as many as the events. */
function createThrottle(now: () => Date): () => boolean {
  let dueAt = Number.NEGATIVE_INFINITY
  return () => {
    const at = now().getTime()
    if (at < dueAt) return false
    dueAt = at + 1_000
    return true
  }
}

async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs)
  })
  await Promise.race([work, timeout])
  clearTimeout(timer)
}
