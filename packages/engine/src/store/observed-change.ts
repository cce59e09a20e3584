import type { Connection, Queryable } from "../core/database.ts"
import type { EventName } from "../core/events/event-map.ts"
import { EVENT_CATALOGUE } from "../core/events/catalogue.ts"
import { type EventSink, wantsAny } from "../core/events/event-sink.ts"
import { eventsOfTransition } from "../core/events/transition-event.ts"
import { lastTransitionId, ownTransitions } from "./own-transitions.ts"

const TRANSITION_EVENTS = Object.entries(EVENT_CATALOGUE)
  .filter(([, entry]) => entry.origin === "transition")
  // Its keys are the names.
  .map(([name]) => name as EventName)

/**
 * Makes a change, and once it is committed tells subscribers all that it wrote
 * into history. For changes that are not made often: where anybody listens, it
 * costs a transaction of five round trips instead of one.
 */
export async function observedChange<T>(
  database: Pick<Connection, "query" | "transaction">,
  events: EventSink,
  work: (db: Queryable) => Promise<T>,
): Promise<T> {
  if (!wantsAny(events, TRANSITION_EVENTS)) return work(database)
  const { result, transitions } = await database.transaction(async (tx) => {
    const last = await lastTransitionId(tx)
    return { result: await work(tx), transitions: await ownTransitions(tx, last) }
  })
  for (const event of transitions.flatMap(eventsOfTransition)) events.deliver(event)
  return result
}
