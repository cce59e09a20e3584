import { TaskerError } from "../core/error.ts"
import { matchesPattern } from "../core/events/event-pattern.ts"
import { unlessAborted } from "./abortable.ts"
import type { FeedEvent } from "./feed-reader.ts"

/** What the handler of a durable subscription is told beside the event. */
export interface EventContext {
  /** Aborted when the time is over, and when another process may have taken the subscription: what goes on then is in vain. */
  readonly signal: AbortSignal
  /** From 1. More than 1: it failed before, here or in another process. */
  readonly attempt: number
}

/** What a durable subscription does with an event. The next one waits until it is done. */
export type DurableHandler<Event = FeedEvent> = (event: Event, context: EventContext) => void | Promise<void>

/** The handlers of a subscription, each with the pattern of the events that it is for. */
export type HandlerEntries = readonly (readonly [string, DurableHandler])[]

export interface HandlingOptions {
  readonly attempt: number
  readonly timeoutMs: number
  /** Ends it: then nobody waits for the handlers any more. */
  readonly signal: AbortSignal
}

/** Whether there is a handler for an event. */
export function isHandled(entries: HandlerEntries, { name }: FeedEvent): boolean {
  return entries.some(([pattern]) => matchesPattern(pattern, name))
}

/**
 * Lets every handler that an event is for handle it, one after the other.
 *
 * @returns what the first of them threw that failed; `undefined` when all went well, or the signal was aborted
 */
export async function handleEvent(
  entries: HandlerEntries,
  event: FeedEvent,
  options: HandlingOptions,
): Promise<{ readonly thrown: unknown } | undefined> {
  const { attempt, timeoutMs, signal } = options
  const ending = new AbortController()
  const end = (): void => ending.abort(signal.reason)
  signal.addEventListener("abort", end, { once: true })
  const timer = setTimeout(() => {
    ending.abort(
      new TaskerError("TASKER_SUBSCRIPTION_TIMEOUT", `handling "${event.name}" took longer than ${timeoutMs} ms`),
    )
  }, timeoutMs)
  try {
    for (const [pattern, handle] of entries) {
      if (!matchesPattern(pattern, event.name)) continue
      await unlessAborted(Promise.resolve(handle(event, { signal: ending.signal, attempt })), ending.signal)
      if (ending.signal.aborted) break
    }
    return ending.signal.aborted && !signal.aborted ? { thrown: ending.signal.reason } : undefined
  } catch (thrown) {
    return signal.aborted ? undefined : { thrown }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", end)
  }
}
