import type { JsonSchema, StandardSchema } from "../schema.ts"
import type { DagError } from "../storable.ts"
import type { EngineNamespace } from "./event-map.ts"

/** The schemas of events' bodies, by the names of the events, as they are written in code or in a file. */
export type EventDeclarations = Readonly<Record<string, StandardSchema | JsonSchema>>

/** An event that a workflow, or one of its steps, declares. */
export interface DeclaredEvent {
  readonly name: string
  /** `null`: each step of the workflow may publish it. */
  readonly step: string | null
  readonly schema: StandardSchema | JsonSchema
}

/**
 * The events that a workflow or a step declares, by name, with the schema of each
 * body: a Standard Schema, from which the type of the body is inferred, or a JSON
 * Schema. `Events` maps names to bodies.
 */
export type EventSchemas<Events> = { readonly [Name in keyof Events]: EventSchema<Name, Events[Name]> }

/** The schema of an event's body; or why there can be no such event. */
type EventSchema<Name, Body> = [NameProblem<Name>] extends [never]
  ? StandardSchema<Body> | JsonSchema
  : DagError<NameProblem<Name>>

/** Why no event can be called so, as a sentence; `never` when one can. A name that is computed is checked when it is read. */
export type NameProblem<Name> = string extends Name
  ? never
  : Name extends `${infer First}.${string}`
    ? First extends EngineNamespace
      ? `events of "${First}" are the engine's: begin the name with a word of your own`
      : never
    : `the name of an event needs a dot, as in "order.shipped"`

/** The bodies that schemas take, by the names of the events. */
export type BodiesOf<Schemas> = {
  readonly [Name in keyof Schemas]: Schemas[Name] extends StandardSchema<infer Body> ? Body : unknown
}

/** The schemas of a workflow's events; or why their types cannot be known. */
export type WorkflowEventSchemas<Events> = [keyof Events] extends [never]
  ? DagError<"write the bodies of the events as the third type argument, or declare the events on the steps">
  : EventSchemas<Events>

/**
 * The events that `events` says, whatever the handler asks for: not inferred from there. `NoInfer` would stay in the
 * type, where it hides the bodies from the comparison with what a handler in its own file asks for.
 */
export type Fixed<Events> = [Events][Events extends unknown ? 0 : never]

type PublishableName<Events> = [keyof Events] extends [never]
  ? DagError<"neither this step nor its workflow declares events: add `events`">
  : keyof Events & string

/** What the handler of a step is given to publish events with. `Events` maps the names of those that it may publish to their bodies. */
export interface PublisherOf<Events> {
  /**
   * Publishes an event that the step or its workflow declares. It is delivered once, when the result of this attempt
   * is recorded; events of an attempt that fails, or whose step was given to another worker, never are.
   *
   * @throws TaskerError `TASKER_EVENT_INVALID` when the event is not declared, its body does not match the schema, is
   *   not JSON or is too large, or the attempt has ended
   */
  readonly publish: <const Name extends PublishableName<Events>>(name: Name, body: BodyOf<Events, Name>) => void
}

type BodyOf<Events, Name> = Name extends keyof Events ? Events[Name] : never

/**
 * What a handler in its own file asks for when it publishes events. The workflow that uses it must declare them, with
 * these bodies; that is checked where the step is declared.
 */
export interface EventPublisher<Events> {
  readonly publish: (...event: EventArguments<Events>) => void
}

// No conditional type and no type parameter of its own: that is what the compiler can compare.
type EventArguments<Events> = {
  readonly [Name in keyof Events & string]: [name: Name, body: Events[Name]]
}[keyof Events & string]
