import { TaskerError } from "../core/error.ts"
import { encodeJson } from "../core/json.ts"
import { formatProblems, type Problem, problem } from "../core/problem.ts"
import { isStandardSchema } from "../core/schema.ts"
import type { JsonSchema, StandardSchema, StandardSchemaResult } from "../core/schema.ts"
import { isThenable } from "../core/thenable.ts"
import type { WorkflowId } from "../core/workflow.ts"
import { compileJsonSchema, type JsonSchemaProblem } from "./json-schema.ts"
import { jsonSchemaMismatch, type Mismatch, standardMismatch } from "./schema-mismatch.ts"

/**
 * Checks the input of a task, and returns what to store: the input with the
 * defaults of its schema, or as a Standard Schema transformed it.
 *
 * @returns what to store, or a promise of it if the schema gives one: a promise more for each of thousands of tasks is felt
 * @throws TaskerError `TASKER_INPUT_INVALID`, with every problem in `details.problems`
 */
export type InputValidator = (input: unknown) => unknown

/**
 * Makes the validator of a workflow's input. A JSON Schema is compiled here, once.
 *
 * @param schema - `null` accepts anything
 * @throws TaskerError `TASKER_WORKFLOW_INVALID` when `schema` is no JSON Schema 2020-12
 */
export function createInputValidator(schema: StandardSchema | JsonSchema | null, workflow: WorkflowId): InputValidator {
  if (schema === null) return (input) => input
  return isStandardSchema(schema) ? standardValidator(schema, workflow) : jsonSchemaValidator(schema, workflow)
}

function standardValidator(schema: StandardSchema, workflow: WorkflowId): InputValidator {
  const outputOf = (result: StandardSchemaResult<unknown>, input: unknown): unknown => {
    if (result.issues === undefined) return result.value
    throw inputError(workflow, standardMismatch(result.issues, input))
  }
  return (input) => {
    const result = schema["~standard"].validate(input)
    return isThenable(result) ? result.then((settled) => outputOf(settled, input)) : outputOf(result, input)
  }
}

function jsonSchemaValidator(schema: JsonSchema, workflow: WorkflowId): InputValidator {
  const { validate, problems } = compileJsonSchema(schema)
  if (validate === undefined) throw schemaError(workflow, problems)
  return (input) => {
    // What will be stored is what is checked (a Date is text by then), and defaults are written into this copy.
    const copy: unknown = JSON.parse(
      encodeJson(input, { what: "input", maxBytes: Infinity, code: "TASKER_INPUT_INVALID" }),
    )
    if (validate(copy)) return copy
    throw inputError(workflow, jsonSchemaMismatch(validate.errors ?? [], copy))
  }
}

function inputError(workflow: WorkflowId, { problems, summary }: Mismatch): TaskerError {
  const { namespace, name, version } = workflow
  const message = `the input of ${namespace}/${name}@${version} does not match its schema: ${summary}`
  return new TaskerError("TASKER_INPUT_INVALID", message, { details: { namespace, name, version, problems } })
}

function schemaError(workflow: WorkflowId, found: readonly JsonSchemaProblem[]): TaskerError {
  const { namespace, name, version } = workflow
  const problems: readonly Problem[] = found.map(({ path, message, hint }) =>
    problem(["input", ...path], message, hint),
  )
  const message = `the input of ${namespace}/${name}@${version} is no JSON Schema 2020-12:${formatProblems(problems)}`
  return new TaskerError("TASKER_WORKFLOW_INVALID", message, { details: { namespace, name, version, problems } })
}
