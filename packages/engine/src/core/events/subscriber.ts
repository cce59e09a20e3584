import type { TaskerEvent } from "./event-map.ts"

/** What is done with an event. A promise that it returns is waited for before the subscriber gets its next event. */
export type EventHandler<Event = TaskerEvent> = (event: Event) => void | Promise<void>

/** Somebody who is told what happens in this process. */
export interface Subscriber {
  readonly name: string
  /** A handler per event, by its name or a wildcard: `"step.completed"`, `"step.*"`, `"*"`. */
  readonly on: Readonly<Record<string, EventHandler>>
  /** Only events for which it returns true are delivered. Default: all. */
  readonly filter?: ((event: TaskerEvent) => boolean) | undefined
}
