import type { DagError } from "../storable.ts"
import type * as facts from "./event-payloads.ts"

/** Every event of the engine, and what it carries. `catalogue.ts` says when each one is published. */
export interface EventPayloads {
  "task.initialize_requested": facts.TaskChange
  "task.start_requested": facts.TaskChange
  "task.completed": facts.TaskChange
  "task.failed": facts.TaskChange
  "task.retry_requested": facts.TaskChange
  "task.cancelled": facts.TaskChange
  "task.resolved_manually": facts.TaskChange
  "task.paused": facts.TaskChange
  "task.resumed": facts.TaskChange
  "task.deduplicated": facts.DeduplicatedTask
  "task.refused": facts.RefusedTask

  "step.execution_requested": facts.StepChange
  "step.before_handle": facts.HandlerCall
  "step.handle": facts.HandlerEnd
  "step.completed": facts.StepChange
  "step.failed": facts.StepChange
  "step.retry_requested": facts.StepChange
  "step.cancelled": facts.StepChange
  "step.resolved_manually": facts.StepChange
  "step.hastened": facts.StepChange
  "step.rescued": facts.StepChange
  "step.handed_back": facts.StepChange
  "step.fenced": facts.FencedOutcome
  "step.timed_out": facts.StepChange
  "observability.step.backoff": facts.StepBackoff
  "observability.step.skip": facts.StepChange
  "observability.step.max_retries_reached": facts.StepChange

  "workflow.viable_steps_discovered": facts.ClaimedSteps
  "workflow.no_viable_steps": facts.NothingToClaim
  "workflow.steps_execution_completed": facts.RecordedOutcomes
  "workflow.task_state_unclear": facts.InvariantViolation
  "workflow.registered": facts.StoredWorkflowFacts
  "workflow.replaced": facts.StoredWorkflowFacts

  "worker.started": facts.StartedWorker
  "worker.heartbeat": facts.WorkerBeat
  "worker.disconnected": facts.WorkerTrouble
  "worker.lease_lost": facts.WorkerTrouble
  "worker.recovered": facts.RecoveredWorker
  "worker.lost": facts.LostWorker
  "worker.stopping": facts.WorkerFacts
  "worker.stopped": facts.StoppedWorker

  "queue.paused": facts.QueueChange
  "queue.resumed": facts.QueueChange
  "queue.limited": facts.QueueLimit

  "database.connected": facts.DatabaseFacts
  "database.migrated": facts.MigratedDatabase
  "database.listener_restored": facts.DatabaseFacts
  "database.closed": facts.DatabaseFacts

  "handler.registered": facts.RegistryChange
  "handler.replaced": facts.RegistryChange
  "handler.unregistered": facts.RegistryChange
  "handler.validation_failed": facts.RegistryRefusal
  "plugin.registered": facts.RegistryChange
  "plugin.replaced": facts.RegistryChange
  "plugin.unregistered": facts.RegistryChange
  "plugin.validation_failed": facts.RegistryRefusal
  "subscriber.registered": facts.RegistryChange
  "subscriber.replaced": facts.RegistryChange
  "subscriber.unregistered": facts.RegistryChange
  "subscriber.validation_failed": facts.RegistryRefusal
  "registry.discovery_completed": facts.Discovery
  "registry.discovery_failed": facts.Discovery

  "subscriber.failed": facts.SubscriberTrouble
  "subscriber.timed_out": facts.SubscriberTrouble
  "subscriber.overflowed": facts.SubscriberOverflow
  "subscription.claimed": facts.SubscriptionFacts
  "subscription.released": facts.SubscriptionFacts
  "subscription.failed": facts.SubscriptionTrouble
  "subscription.skipped": facts.SubscriptionTrouble

  "tasker.telemetry.export_requested": facts.ExportFacts
  "tasker.telemetry.export_completed": facts.CompletedExport
  "tasker.telemetry.export_failed": facts.FailedExport
}

/** The name of an event of the engine. */
export type EventName = keyof EventPayloads

/**
 * The events of your own, each with its body as it is delivered, for the compiler. Empty; add to it by declaration
 * merging. Events that it does not name are delivered all the same, with a body of type `unknown`.
 *
 * @example
 * ```ts
 * declare module "@tasker/engine" {
 *   interface CustomEvents {
 *     readonly "order.shipped": { readonly parcel: string }
 *   }
 * }
 * ```
 */
export interface CustomEvents {}

/** The names in {@link CustomEvents} that an event of a user's can have. */
type TypedEventName = Exclude<Extract<keyof CustomEvents, `${string}.${string}`>, `${EngineNamespace}.${string}`>

/** What every event carries that the compiler knows by name. */
interface KnownPayloads extends EventPayloads, TypedPayloads {}
type TypedPayloads = { readonly [Name in TypedEventName]: facts.PublishedEvent<CustomEvents[Name]> }

/** Something that happened: what, when, and the facts. */
export interface EventNamed<Name extends keyof KnownPayloads> {
  readonly name: Name
  /** When it happened: by the database's clock in the feed, else by the process's. */
  readonly at: Date
  readonly payload: KnownPayloads[Name]
}

/** Any event of the engine; `name` tells which, and what `payload` is. */
export type EngineEvent = { readonly [Name in EventName]: EventNamed<Name> }[EventName]

/**
 * An event that a handler published, under a name of its own: `order.shipped`. Of those in {@link CustomEvents}, `name`
 * tells what the body is.
 */
export type CustomEvent = PublishedEvents[keyof PublishedEvents]

interface PublishedEvents extends TypedEvents {
  readonly "*": UntypedEvent
}
type TypedEvents = { readonly [Name in TypedEventName]: EventNamed<Name> }

/** One of which {@link CustomEvents} says nothing. */
export interface UntypedEvent {
  readonly name: CustomEventName
  readonly at: Date
  readonly payload: facts.PublishedEvent
}

/**
 * A name that is none of the engine's, made by the check of names. The compiler takes `string & Brand` for any literal,
 * and would narrow by `name` to a union with this; a template with a brand it tells apart.
 */
export type CustomEventName = `${string}.${string}` & { readonly [customEventName]: true }
declare const customEventName: unique symbol

export type TaskerEvent = EngineEvent | CustomEvent

/** The events that a pattern may stand for: `"step.*"` for those of steps. */
export type EventsMatching<Pattern extends string> = Pattern extends keyof KnownPayloads
  ? EventNamed<Pattern>
  : Pattern extends `${infer Prefix}.*`
    ? EventsUnder<Prefix>
    : Pattern extends `${string}*${string}`
      ? TaskerEvent
      : string extends Pattern
        ? TaskerEvent
        : UntypedEvent

/** The events whose names begin so. Those of the engine and those of users never begin alike. */
type EventsUnder<Prefix extends string> = Prefix extends `${string}*${string}`
  ? TaskerEvent
  : Extract<EngineEvent, { readonly name: `${Prefix}.${string}` }> extends never
    ? Extract<CustomEvent, { readonly name: `${Prefix}.${string}` | CustomEventName }>
    : Extract<EngineEvent, { readonly name: `${Prefix}.${string}` }>

/** A pattern; or why there can be no such event: it begins as those of the engine do, and none is called so. */
export type EventPattern<Pattern extends string> =
  EventsMatching<Pattern> extends CustomEvent
    ? FirstPart<Pattern> extends EngineNamespace
      ? DagError<`no event is called "${Pattern}"`>
      : Pattern
    : Pattern

/** The first parts of the engine's events. No event of a user's begins with one. */
export type EngineNamespace = FirstPart<EventName>

type FirstPart<Name extends string> = Name extends `${infer First}.${string}` ? First : Name
