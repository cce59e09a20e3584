import { describeValue } from "../../core/describe-value.ts"
import { HANDLER_NAME_RULE, isHandlerName } from "../../core/names.ts"
import { type HandlerLookup, validateHandlers } from "../../core/build-workflow.ts"
import { problem } from "../../core/problem.ts"
import { validateWorkflow } from "../../core/validate-workflow.ts"
import type { WorkflowSource } from "../../core/workflow-source.ts"
import { compileJsonSchema } from "../json-schema.ts"
import { type LocatedProblem, problemAt } from "./file-problem.ts"
import { isAboutWritten, locateKeyProblem, locateProblem } from "./locate-problem.ts"
import { itemsAt, type Located, type Segments, textOf, toPlain, valueAt } from "./located.ts"
import { toSource } from "./to-source.ts"

export interface ValueProblemsOptions {
  /**
   * Whether the file is whole. When its syntax is broken, things are missing that the parser lost, so only
   * what is written is judged. Default: true.
   */
  readonly isWhole?: boolean
}

/** What is wrong with the values of a workflow, as one environment sees it: all but its handlers and the schema of its input. */
export function valueProblems(root: Located, { isWhole = true }: ValueProblemsOptions = {}): readonly LocatedProblem[] {
  const found = validateWorkflow(toSource(root))
  const judged = isWhole
    ? found
    : found.filter((one) => isAboutWritten(root, one) && !one.segments.includes("dependsOn"))
  return [
    // What an event is called is the key; all else is a value.
    ...judged.map((one) => (one.segments.at(-2) === "events" ? locateKeyProblem(root, one) : locateProblem(root, one))),
    ...handlerNameProblems(root),
  ]
}

/** Steps whose handlers were not given. */
export function handlerProblems(root: Located, handlers: HandlerLookup): readonly LocatedProblem[] {
  // Nothing is asked of the source but what its steps and their handlers are called.
  const source = toSource(root) as unknown as WorkflowSource
  const hint = `handlers given: ${listOf(handlers.names)}`
  return validateHandlers(source, handlers)
    .filter(({ segments }) => !hasOddHandler(itemsAt(root, "steps")[Number(segments[1])]))
    .map((one) => locateProblem(root, { ...one, hint: one.hint ?? hint }))
}

/** In code a handler may be a function, so core does not ask for a name; in a file it must be one. */
function handlerNameProblems(root: Located): readonly LocatedProblem[] {
  return itemsAt(root, "steps").flatMap((step) => {
    const handler = valueAt(step, "handler")
    // A text that is no name is said by core.
    if (handler === undefined || textOf(handler) !== undefined) return []
    const message = `expected handler to be ${HANDLER_NAME_RULE}, got ${describeValue(toPlain(handler))}`
    return [problemAt(handler.at, handler.segments, message)]
  })
}

function hasOddHandler(step: Located | undefined): boolean {
  const handler = valueAt(step, "handler")
  return handler !== undefined && !isHandlerName(toPlain(handler))
}

/** What is wrong with a JSON Schema of an input. It costs some milliseconds, so each is asked once. */
export function inputSchemaProblems(map: Located): readonly LocatedProblem[] {
  return schemaProblems(map, ["input"], valueAt(map, "input"))
}

/** As {@link inputSchemaProblems}, of the events that the workflow and its steps declare. */
export function eventSchemaProblems(map: Located): readonly LocatedProblem[] {
  const declaring: readonly (readonly [path: Segments, node: Located])[] = [
    [[], map],
    ...itemsAt(map, "steps").map((step, index): [Segments, Located] => [["steps", index], step]),
  ]
  return declaring.flatMap(([path, node]) => {
    const events = valueAt(node, "events")
    const entries = events?.kind === "map" ? [...events.entries] : []
    return entries.flatMap(([name, { value }]) => schemaProblems(map, [...path, "events", name], value))
  })
}

function schemaProblems(map: Located, place: Segments, schema: Located | undefined): readonly LocatedProblem[] {
  // That it should be a map is said by core.
  if (schema?.kind !== "map") return []
  return compileJsonSchema(toPlain(schema)).problems.map(({ path, message, hint, isAboutKey }) => {
    const found = problem([...place, ...path], message, hint)
    return isAboutKey === true ? locateKeyProblem(map, found) : locateProblem(map, found)
  })
}

const MAX_LISTED = 20

function listOf(names: readonly string[]): string {
  if (names.length === 0) return "none"
  return names.length > MAX_LISTED ? `${names.slice(0, MAX_LISTED).join(", ")}, …` : names.join(", ")
}
