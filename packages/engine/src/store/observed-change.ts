import type { Connection, Queryable } from "../core/database.ts"
import type { ChangeWatch } from "../core/events/change-watch.ts"
import type { EventName } from "../core/events/event-map.ts"
import { EVENT_CATALOGUE } from "../core/events/catalogue.ts"
import { wantsAny } from "../core/events/event-sink.ts"
import { eventsOfTransition } from "../core/events/transition-event.ts"
import { lastTransitionId, ownTransitions } from "./own-transitions.ts"
import { readEndedTasks } from "./read-ended-tasks.ts"

const TRANSITION_EVENTS = Object.entries(EVENT_CATALOGUE)
  .filter(([, entry]) => entry.origin === "transition")
  // Its keys are the names.
  .map(([name]) => name as EventName)

/**
 * Makes a change, and once it is committed tells subscribers all that it wrote
 * into history, and who watches them of the tasks that it ended. For changes that
 * are not made often: where anybody listens, it costs a transaction of five round
 * trips instead of one.
 */
export async function observedChange<T>(
  database: Pick<Connection, "query" | "transaction">,
  { events, watchesEnds, onEnded }: ChangeWatch,
  work: (db: Queryable) => Promise<T>,
): Promise<T> {
  const asksForEnds = watchesEnds()
  if (!asksForEnds && !wantsAny(events, TRANSITION_EVENTS)) return work(database)
  const { result, transitions, ended } = await database.transaction(async (tx) => {
    const last = await lastTransitionId(tx)
    const worked = await work(tx)
    const own = await ownTransitions(tx, last)
    return { result: worked, transitions: own, ended: asksForEnds ? await readEndedTasks(tx, own) : [] }
  })
  events.batch(() => {
    for (const event of transitions.flatMap(eventsOfTransition)) events.deliver(event)
  })
  for (const task of ended) onEnded(task)
  return result
}
