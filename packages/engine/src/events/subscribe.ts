import { hostname } from "node:os"
import { checkOptions } from "../core/check-options.ts"
import { describeValue } from "../core/describe-value.ts"
import { TaskerError } from "../core/error.ts"
import { patternProblem } from "../core/events/event-pattern.ts"
import { isName, NAME_RULE } from "../core/names.ts"
import { delayRule, integerRule, timeoutRule } from "../core/option-rules.ts"
import { DurableSubscription } from "./durable-subscription.ts"
import { assertFeedStart, type FeedStart, feedStartRule } from "./feed-reader.ts"
import type { DurableHandler } from "./handle-event.ts"
import type { SubscriptionRooms } from "./subscription-turn.ts"

/** How a durable subscription works. */
export interface SubscribeOptions {
  /** Where it begins, when there is no subscription of its name yet. Default: `"now"`. */
  readonly start?: FeedStart | undefined
  /**
   * After so many attempts at an event, from 1 to 1,000, it is set aside, and the next one handled:
   * `tasker.subscriptions.listSkipped` shows it. Default: never; all that come after an event wait until it is handled.
   */
  readonly skipAfter?: number | undefined
  /** How long its handlers may take over one event, in milliseconds, from 1 to 2,147,483,647. Default: 60,000. */
  readonly timeoutMs?: number | undefined
  /** How long to wait after a failure: twice as long after each, from `baseMs` to `capMs`. Default: 1,000 and 60,000. */
  readonly backoff?: { readonly baseMs?: number | undefined; readonly capMs?: number | undefined } | undefined
  /**
   * How long after its process has fallen silent another one goes on, in milliseconds, from 500 to 600,000. Default: 15,000.
   */
  readonly leaseMs?: number | undefined
  /** As of `follow`. */
  readonly pollMs?: number | undefined
}

/** A durable subscription of this process. */
export interface Subscription {
  readonly name: string
  /**
   * Waits for the handler that runs, for at most `timeoutMs`, by default 30,000; then lets another process go on. May be
   * called twice.
   */
  readonly stop: (options?: { readonly timeoutMs?: number | undefined }) => Promise<void>
}

/** @throws TaskerError `TASKER_OPTION_INVALID`, `TASKER_CURSOR_INVALID` */
export function createSubscription(
  rooms: SubscriptionRooms,
  name: string,
  on: unknown,
  options: SubscribeOptions,
): DurableSubscription {
  if (!isName(name)) refuse("name", NAME_RULE, name)
  checkOptions("events.subscribe", options, SUBSCRIBE_RULES, "TASKER_OPTION_INVALID")
  const { start = "now", timeoutMs = 60_000, leaseMs = 15_000, pollMs = 1_000, skipAfter, backoff } = options
  assertFeedStart("start", start)
  const { baseMs = 1_000, capMs = 60_000 } = backoff ?? {}
  const settings = {
    name,
    handlers: checkHandlers(on),
    skipAfter,
    timeoutMs,
    leaseMs,
    pollMs,
    backoff: { baseMs, capMs },
  }
  return new DurableSubscription(rooms, settings, start, `${hostname()}:${process.pid}`)
}

function checkHandlers(on: unknown): readonly (readonly [string, DurableHandler])[] {
  const entries = typeof on === "object" && on !== null ? Object.entries(on) : []
  if (entries.length === 0) refuse("on", "an object with a handler for one event or more", on)
  return entries.map(([pattern, handle]) => {
    const problem = patternProblem(pattern)
    if (problem !== undefined) throw new TaskerError("TASKER_OPTION_INVALID", problem.message, { hint: problem.hint })
    if (typeof handle !== "function") refuse(`on["${pattern}"]`, "a function", handle)
    // It is called with events that its pattern stands for, alone.
    return [pattern, handle as DurableHandler]
  })
}

function refuse(what: string, rule: string, value: unknown): never {
  throw new TaskerError("TASKER_OPTION_INVALID", `expected ${what} to be ${rule}, got ${describeValue(value)}`)
}

const SUBSCRIBE_RULES = {
  start: feedStartRule,
  skipAfter: integerRule(1, 1_000),
  timeoutMs: timeoutRule,
  backoff: { rule: "an object of baseMs and capMs, each an integer from 0 to 2147483647", accepts: isBackoff },
  leaseMs: integerRule(500, 600_000),
  pollMs: integerRule(10, 60_000),
}

function isBackoff(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false
  const isKnown = ([key, ms]: [string, unknown]) =>
    ["baseMs", "capMs"].includes(key) && (ms === undefined || delayRule.accepts(ms))
  return Object.entries(value).every(isKnown)
}
