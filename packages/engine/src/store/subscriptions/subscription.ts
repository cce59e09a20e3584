import type { EventError } from "../../core/events/event-payloads.ts"

/** Why the next event of a subscription could not be handled. */
export interface EventFailure {
  /** The row of history that it is of. */
  readonly row: number
  /** The event's name. */
  readonly event: string
  /** How often it was tried. */
  readonly attempts: number
  readonly error: EventError
}

/** A subscription in the hands of this process, until its lease runs out. */
export interface HeldSubscription {
  readonly name: string
  /** Shown with every change: once somebody else has it, it is refused. */
  readonly generation: number
}
