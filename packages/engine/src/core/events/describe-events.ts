import type { JsonSchema } from "../schema.ts"
import type { WorkflowDefinition, WorkflowId } from "../workflow.ts"
import { EVENT_CATALOGUE, type EventEntry, isEventName } from "./catalogue.ts"
import { EVENT_FIELDS, PUBLISHED_EVENT_FIELDS } from "./event-fields.ts"
import type { EventName } from "./event-map.ts"
import { EVENT_EXAMPLES } from "./generated/event-examples.ts"
import { fieldsSchema } from "./payload-field.ts"

/** All that is known of an event. */
export interface EventDescription extends Omit<EventEntry, "category"> {
  readonly name: string
  /** `custom`: handlers publish it. */
  readonly category: EventEntry["category"] | "custom"
  /** The JSON Schema (2020-12) of its payload. */
  readonly payload: JsonSchema
  /** The event as a test was told it, as JSON, with ids and times replaced; `null` for those of a user's. */
  readonly example: unknown
  /** The workflows that declare it; none for those of the engine. */
  readonly declaredBy: readonly EventDeclarer[]
}

export interface EventDeclarer extends WorkflowId {
  /** `null`: every step of the workflow may publish it. */
  readonly step: string | null
}

/** The events of the engine, in the order of the catalogue. */
export function describeEngineEvents(): readonly EventDescription[] {
  return Object.keys(EVENT_CATALOGUE).filter(isEventName).map(describeEngineEvent)
}

function describeEngineEvent(name: EventName): EventDescription {
  return {
    name,
    ...EVENT_CATALOGUE[name],
    payload: fieldsSchema(EVENT_FIELDS[name]),
    example: EVENT_EXAMPLES[name],
    declaredBy: [],
  }
}

/** The events that workflows declare, sorted by name, each name once. */
export function describeCustomEvents(definitions: readonly WorkflowDefinition[]): readonly EventDescription[] {
  const byName = new Map<string, { readonly bodies: Set<string>; readonly declaredBy: EventDeclarer[] }>()
  for (const { namespace, name: workflow, version, events = [] } of definitions) {
    for (const { name, step, schema } of events) {
      const known = byName.get(name) ?? { bodies: new Set(), declaredBy: [] }
      byName.set(name, known)
      known.bodies.add(JSON.stringify(schema ?? {}))
      known.declaredBy.push({ namespace, name: workflow, version, step })
    }
  }
  return [...byName]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { bodies, declaredBy }]) => {
      // Written by JSON.stringify just above.
      const schemas = [...bodies].map((body) => JSON.parse(body) as JsonSchema)
      return {
        name,
        category: "custom",
        origin: "transition",
        when: whenOf(schemas, declaredBy),
        payload: payloadOf(schemas),
        example: null,
        declaredBy,
      }
    })
}

/** What the schema says of the event, when it says something; else who publishes it. */
function whenOf(bodies: readonly JsonSchema[], declaredBy: readonly EventDeclarer[]): string {
  const said = bodies.map(({ description }) => description).find((one) => typeof one === "string" && one !== "")
  if (typeof said === "string") return said
  const who = declaredBy.map(
    ({ namespace, name, step }) => `${step === null ? "a step" : `step "${step}"`} of ${namespace}/${name}`,
  )
  return `${[...new Set(who)].join(" or ")} published it`
}

/** Versions of a workflow may give an event different bodies. */
function payloadOf(bodies: readonly JsonSchema[]): JsonSchema {
  const payload = fieldsSchema(PUBLISHED_EVENT_FIELDS)
  const [body = {}] = bodies
  // Made of fields, so it has properties.
  const properties = payload["properties"] as Readonly<Record<string, unknown>>
  return { ...payload, properties: { ...properties, body: bodies.length > 1 ? { anyOf: bodies } : body } }
}
