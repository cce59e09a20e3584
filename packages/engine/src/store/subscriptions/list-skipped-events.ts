import type { Queryable } from "../../core/database.ts"
import type { EventError } from "../../core/events/event-payloads.ts"
import { run } from "../run.ts"

/** An event that a subscription has given up. */
export interface SkippedEvent {
  readonly name: string
  readonly at: Date
  readonly payload: Readonly<Record<string, unknown>>
  /** How often it was tried. */
  readonly attempts: number
  readonly skippedAt: Date
  /** Why it failed the last time. */
  readonly error: EventError
}

/** What a subscription has set aside, the oldest first. */
export async function listSkippedEvents(db: Queryable, name: string, limit: number): Promise<readonly SkippedEvent[]> {
  return await run<SkippedEvent>(db, {
    text: `
      select
        skipped.name,
        (skipped.event ->> 'at')::timestamptz as at,
        skipped.event -> 'payload' as payload,
        skipped.attempts,
        skipped.skipped_at as "skippedAt",
        skipped.error
      from tasker.skipped_events as skipped
      where skipped.subscription = $1
      order by skipped.transition_id, skipped.name
      limit $2`,
    values: [name, limit],
  })
}
