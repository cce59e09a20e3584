import type { Queryable } from "../../core/database.ts"
import type { TaskerEvent } from "../../core/events/event-map.ts"
import { runOne } from "../run.ts"
import type { EventFailure, HeldSubscription } from "./subscription.ts"

export interface EventSkip {
  readonly failure: EventFailure
  readonly event: TaskerEvent
  /** Behind the event. */
  readonly cursor: string
  readonly leaseMs: number
}

/** Sets an event aside, and goes on behind it. @returns whether this process still held the subscription */
export async function skipEvent(
  db: Queryable,
  { name, generation }: HeldSubscription,
  { failure, event, cursor, leaseMs }: EventSkip,
): Promise<boolean> {
  const { held } = await runOne<{ held: boolean }>(db, {
    text: "select tasker.skip_event($1, $2, $3, $4, $5 * interval '1 millisecond') as held",
    values: [name, generation, cursor, JSON.stringify({ ...failure, given: event }), leaseMs],
  })
  return held
}
