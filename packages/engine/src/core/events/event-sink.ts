import type { EventName, EventPayloads } from "./event-map.ts"

/** Where the engine's rooms say what happened. */
export interface EventSink {
  /** Whether anybody listens. What only an event needs is made only then. */
  wants(name: EventName): boolean
  /** Tells subscribers, after the change is committed. Never throws, and never waits for them. */
  publish<Name extends EventName>(name: Name, payload: EventPayloads[Name]): void
}

/** Tells nobody. */
export const silentSink: EventSink = Object.freeze({ wants: () => false, publish: () => {} })
