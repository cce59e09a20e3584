import { isTaskerError, TaskerError } from "../core/error.ts"
import type { DeclaredEvent } from "../core/events/declared-events.ts"
import { encodeJson } from "../core/json.ts"
import { formatProblems, type Problem, problem } from "../core/problem.ts"
import { isStandardSchema, type StandardSchema } from "../core/schema.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import { compileJsonSchema } from "./json-schema.ts"
import { jsonSchemaMismatch, type Mismatch, standardMismatch } from "./schema-mismatch.ts"

/**
 * Checks the body of an event, and returns what to store of it: with the defaults of its schema, or as a Standard
 * Schema transformed it.
 *
 * @throws TaskerError `TASKER_EVENT_INVALID`, with every problem in `details.problems`
 */
export type BodyValidator = (body: unknown) => unknown

/**
 * Makes the validators of the events that a workflow declares, by name. JSON Schemas are compiled here, once.
 *
 * @throws TaskerError `TASKER_WORKFLOW_INVALID` when one of them is no JSON Schema 2020-12
 */
export function createBodyValidators(workflow: AnyWorkflow): ReadonlyMap<string, BodyValidator> {
  const problems: Problem[] = []
  const validators = workflow.events.map((event): [string, BodyValidator] => {
    const { name, schema } = event
    if (isStandardSchema(schema)) return [name, standardValidator(name, schema)]
    const compiled = compileJsonSchema(schema)
    problems.push(
      ...compiled.problems.map(({ path, message, hint }) =>
        problem([...placeOf(workflow, event), ...path], message, hint),
      ),
    )
    return [name, jsonSchemaValidator(name, compiled.validate)]
  })
  if (problems.length > 0) throw schemaError(workflow, problems)
  return new Map(validators)
}

function standardValidator(name: string, schema: StandardSchema): BodyValidator {
  return (body) => {
    const result = schema["~standard"].validate(body)
    if (result instanceof Promise) {
      // Nobody waits for it any more.
      result.catch(() => {})
      throw new TaskerError("TASKER_EVENT_INVALID", `the schema of event "${name}" checks the body asynchronously`, {
        hint: "use a schema that is done when it returns: `publish` waits for nothing",
        details: { event: name },
      })
    }
    if (result.issues === undefined) return result.value
    throw bodyError(name, standardMismatch(result.issues, body))
  }
}

function jsonSchemaValidator(name: string, validate: ReturnType<typeof compileJsonSchema>["validate"]): BodyValidator {
  return (body) => {
    // As for inputs: what is checked is what will be stored, and defaults are written into this copy.
    const copy: unknown = JSON.parse(encodeBody(name, body, Infinity))
    if (validate === undefined || validate(copy)) return copy
    throw bodyError(name, jsonSchemaMismatch(validate.errors ?? [], copy))
  }
}

/** @throws TaskerError `TASKER_EVENT_INVALID` when it is not JSON, or takes more bytes */
export function encodeBody(name: string, body: unknown, maxBytes: number): string {
  try {
    return encodeJson(body, { what: "body", maxBytes, code: "TASKER_EVENT_INVALID" })
  } catch (error) {
    if (!isTaskerError(error)) throw error
    const { hint, details } = error
    throw new TaskerError("TASKER_EVENT_INVALID", `event "${name}": ${error.message}`, {
      hint,
      cause: error,
      details: { event: name, ...details },
    })
  }
}

function bodyError(name: string, { problems, summary }: Mismatch): TaskerError {
  return new TaskerError("TASKER_EVENT_INVALID", `the body of event "${name}" does not match its schema: ${summary}`, {
    details: { event: name, problems },
  })
}

function placeOf({ steps }: AnyWorkflow, { name, step }: DeclaredEvent): readonly (string | number)[] {
  const index = steps.findIndex(({ spec }) => spec.name === step)
  return step === null ? ["events", name] : ["steps", index, "events", name]
}

function schemaError({ namespace, name, version }: AnyWorkflow, problems: readonly Problem[]): TaskerError {
  const message = `events of ${namespace}/${name}@${version} have schemas that are no JSON Schema 2020-12:${formatProblems(problems)}`
  return new TaskerError("TASKER_WORKFLOW_INVALID", message, { details: { namespace, name, version, problems } })
}
