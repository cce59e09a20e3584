import { isObject } from "../is-object.ts"
import { describeValue } from "../describe-value.ts"
import { isTaskerError } from "../error.ts"
import { encodeJson } from "../json.ts"
import { asName, isName } from "../names.ts"
import { expectedProblem } from "../option-rules.ts"
import { type Problem, problem } from "../problem.ts"
import { isStandardSchema } from "../schema.ts"
import { MAX_SCHEMA_BYTES } from "../stored-schema.ts"
import type { DeclaredEvent, EventDeclarations } from "./declared-events.ts"
import { ENGINE_NAMESPACES, isEngineNamespace } from "./engine-namespaces.ts"

/** The most events that a workflow may declare, its steps' included. */
export const MAX_EVENTS = 1_000

const NAME_RULE = 'two to four names joined by ".", such as "order.shipped"'

/** Whether an event of a user's may be called so. */
export function isCustomEventName(name: unknown): name is string {
  return typeof name === "string" && isDotted(name) && !isEngineNamespace(name)
}

function isDotted(name: string): boolean {
  const parts = name.split(".")
  return parts.length >= 2 && parts.length <= 4 && parts.every(isName)
}

/** The events of a workflow as it was written, sorted by name. Only of a source that was checked. */
export function declaredEvents(source: {
  readonly events?: EventDeclarations | undefined
  readonly steps: readonly { readonly name: string; readonly events?: EventDeclarations | undefined }[]
}): readonly DeclaredEvent[] {
  const of = (events: EventDeclarations | undefined, step: string | null): readonly DeclaredEvent[] =>
    Object.entries(events ?? {}).map(([name, schema]) => Object.freeze({ name, step, schema }))
  const declared = [...of(source.events, null), ...source.steps.flatMap((step) => of(step.events, step.name))]
  return Object.freeze(declared.toSorted((one, other) => (one.name < other.name ? -1 : 1)))
}

/** What is wrong with the events of a workflow and its steps, as a user wrote them. */
export function checkEvents(source: Readonly<Record<string, unknown>>): Problem[] {
  const steps: readonly unknown[] = Array.isArray(source["steps"]) ? source["steps"] : []
  const places: readonly Place[] = [
    { path: ["events"], events: source["events"], owner: "the workflow" },
    ...steps.map((step, index) => {
      const { name, events } = isObject(step) ? step : {}
      return { path: ["steps", index, "events"], events, owner: `step ${describeValue(name)}` }
    }),
  ]
  const count = places.reduce((sum, { events }) => sum + (isObject(events) ? Object.keys(events).length : 0), 0)
  if (count > MAX_EVENTS) {
    return [problem(["events"], `expected a workflow to declare at most ${MAX_EVENTS} events, got ${count}`)]
  }
  const owners = new Map<string, string>()
  return places.flatMap((place) => checkPlace(place, owners))
}

interface Place {
  readonly path: readonly (string | number)[]
  readonly events: unknown
  readonly owner: string
}

function checkPlace({ path, events, owner }: Place, owners: Map<string, string>): Problem[] {
  if (events === undefined) return []
  if (!isObject(events)) return [expectedProblem(path, "an object of schemas by the names of events", events)]
  return Object.entries(events).flatMap(([name, schema]) => {
    const at = [...path, name]
    const standing = owners.get(name)
    if (standing === undefined) owners.set(name, owner)
    const twice =
      standing === undefined
        ? []
        : [problem(at, `event "${name}" is declared by ${standing} already`, "declare it once, under the workflow")]
    return [...checkName(at, name), ...twice, ...checkSchema(at, schema)]
  })
}

function checkName(path: readonly (string | number)[], name: string): Problem[] {
  if (!isDotted(name)) {
    const meant = name
      .split(".")
      .map((part) => asName(part) ?? part)
      .join(".")
    const hint = meant !== name && isDotted(meant) ? `did you mean "${meant}"?` : undefined
    return [problem(path, `expected an event to be called by ${NAME_RULE}, got ${describeValue(name)}`, hint)]
  }
  if (!isEngineNamespace(name)) return []
  const message = `event "${name}" would be one of the engine's, whose names begin with ${ENGINE_NAMESPACES.join(", ")}`
  return [problem(path, message, "begin it with a word of your own")]
}

function checkSchema(path: readonly (string | number)[], schema: unknown): Problem[] {
  if (isStandardSchema(schema)) return []
  if (!isObject(schema)) return [expectedProblem(path, "a Standard Schema or a JSON Schema object", schema)]
  try {
    encodeJson(schema, { what: "schema", maxBytes: MAX_SCHEMA_BYTES, code: "TASKER_WORKFLOW_INVALID" })
    return []
  } catch (error) {
    if (!isTaskerError(error)) throw error
    return [problem(path, error.message, error.hint)]
  }
}
