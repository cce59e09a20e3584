import type { EventName, EventPayloads, TaskerEvent } from "./event-map.ts"

/** Where the engine's rooms say what happened. */
export interface EventSink {
  /** Whether anybody listens. What only an event needs is made only then. */
  wants(name: TaskerEvent["name"]): boolean
  /** Tells subscribers, after the change is committed. Never throws, and never waits for them. */
  publish<Name extends EventName>(name: Name, payload: EventPayloads[Name]): void
  /** As `publish`, for an event that was made elsewhere, such as those of a transition. */
  deliver(event: TaskerEvent): void
  /** Calls `work`, which publishes many events and waits for nothing: their log lines are written together. */
  batch(work: () => void): void
}

/** Whether anybody listens for one of these. */
export function wantsAny(events: EventSink, names: readonly EventName[]): boolean {
  return names.some((name) => events.wants(name))
}

/** Tells nobody. */
export const silentSink: EventSink = Object.freeze({
  wants: () => false,
  publish: () => {},
  deliver: () => {},
  batch: (work: () => void) => work(),
})
