import type { ErrorObject } from "ajv/dist/2020.js"
import { TaskerError } from "../core/error.ts"
import { encodeJson } from "../core/json.ts"
import { formatPath, formatProblems, type Problem, problem } from "../core/problem.ts"
import { isStandardSchema } from "../core/schema.ts"
import type { JsonSchema, StandardSchema, StandardSchemaIssue } from "../core/schema.ts"
import type { WorkflowId } from "../core/workflow.ts"
import { compileJsonSchema, type JsonSchemaProblem, pointerToPath, valueAtPath } from "./json-schema.ts"
import { redactValues, typeName } from "./redact-values.ts"

/** One thing that is wrong with an input. Says no values of the input, only their types. */
export interface InputProblem {
  /** Where: `items[0].price`; empty for the input as a whole. */
  readonly path: string
  readonly message: string
}

/**
 * Checks the input of a task, and returns what to store: the input with the
 * defaults of its schema, or as a Standard Schema transformed it.
 *
 * @throws TaskerError `TASKER_INPUT_INVALID`, with every problem in `details.problems`
 */
export type InputValidator = (input: unknown) => Promise<unknown>

/** How many problems one error lists. */
const MAX_PROBLEMS = 100
/** How many of them its message names. */
const MAX_NAMED_PROBLEMS = 20

/**
 * Makes the validator of a workflow's input. A JSON Schema is compiled here, once.
 *
 * @param schema - `null` accepts anything
 * @throws TaskerError `TASKER_WORKFLOW_INVALID` when `schema` is no JSON Schema 2020-12
 */
export function createInputValidator(schema: StandardSchema | JsonSchema | null, workflow: WorkflowId): InputValidator {
  if (schema === null) return async (input) => input
  return isStandardSchema(schema) ? standardValidator(schema, workflow) : jsonSchemaValidator(schema, workflow)
}

function standardValidator(schema: StandardSchema, workflow: WorkflowId): InputValidator {
  return async (input) => {
    const result = await schema["~standard"].validate(input)
    if (result.issues === undefined) return result.value
    throw inputError(
      workflow,
      result.issues.map((issue) => issueProblem(issue, input)),
      result.issues.length,
    )
  }
}

function issueProblem(issue: StandardSchemaIssue, input: unknown): InputProblem {
  // Spread first: the path of arktype is an array of a class of its own, whose empty `map` is `[0]`.
  const keys = [...(issue.path ?? [])].map((part) => {
    const key = typeof part === "object" ? part.key : part
    // A symbol cannot be a key of JSON, but of what a schema of the user's own looked into.
    return typeof key === "symbol" ? String(key) : key
  })
  const path = formatPath(keys)
  const message = redactValues(issue.message, valueAtPath(input, keys), input)
  // arktype repeats the path.
  return { path, message: path !== "" && message.startsWith(`${path} `) ? message.slice(path.length + 1) : message }
}

function jsonSchemaValidator(schema: JsonSchema, workflow: WorkflowId): InputValidator {
  const { validate, problems } = compileJsonSchema(schema)
  if (validate === undefined) throw schemaError(workflow, problems)
  return async (input) => {
    // What will be stored is what is checked (a Date is text by then), and defaults are written into this copy.
    const copy: unknown = JSON.parse(
      encodeJson(input, { what: "input", maxBytes: Infinity, code: "TASKER_INPUT_INVALID" }),
    )
    if (validate(copy)) return copy
    // `if` only says that `then` or `else` did not match, and they speak for themselves.
    const errors = (validate.errors ?? []).filter((error) => error.keyword !== "if")
    throw inputError(
      workflow,
      errors.slice(0, MAX_PROBLEMS).map((error) => ajvProblem(error, copy)),
      errors.length,
    )
  }
}

function ajvProblem(error: ErrorObject, input: unknown): InputProblem {
  const keys = pointerToPath(error.instancePath, input)
  // Each keyword has its own parameters, by Ajv's documentation; all of those below are of the schema's
  // making, but for the names of properties.
  const params = error.params as Readonly<Record<string, unknown>>
  const at = (...more: readonly unknown[]): string => formatPath([...keys, ...more.map(String)])
  switch (error.keyword) {
    case "required":
      return { path: at(params["missingProperty"]), message: "is required" }
    case "additionalProperties":
      return { path: at(params["additionalProperty"]), message: "is not allowed" }
    case "unevaluatedProperties":
      return { path: at(params["unevaluatedProperty"]), message: "is not allowed" }
    case "propertyNames":
      return { path: at(params["propertyName"]), message: "has a name that is not allowed" }
    case "false schema":
      return { path: at(), message: "is not allowed" }
    case "type":
      return {
        path: at(),
        message: `must be ${[params["type"]].flat().join(" or ")}, got ${typeName(valueAtPath(input, keys))}`,
      }
    case "enum":
      return { path: at(), message: `must be one of ${shortList(params["allowedValues"])}` }
    case "const":
      return { path: at(), message: `must be ${shortList([params["allowedValue"]])}` }
    default:
      return { path: at(), message: error.message ?? `breaks "${error.keyword}"` }
  }
}

function shortList(values: unknown): string {
  const list = Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : []
  return list.length > 10 ? `${list.slice(0, 10).join(", ")}, …` : list.join(", ")
}

function inputError(workflow: WorkflowId, problems: readonly InputProblem[], count: number): TaskerError {
  const { namespace, name, version } = workflow
  const named = problems
    .slice(0, MAX_NAMED_PROBLEMS)
    .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
  const more = count > named.length ? `; and ${count - named.length} more` : ""
  const message = `the input of ${namespace}/${name}@${version} does not match its schema: ${named.join("; ")}${more}`
  return new TaskerError("TASKER_INPUT_INVALID", message, {
    details: { namespace, name, version, problems: problems.slice(0, MAX_PROBLEMS) },
  })
}

function schemaError(workflow: WorkflowId, found: readonly JsonSchemaProblem[]): TaskerError {
  const { namespace, name, version } = workflow
  const problems: readonly Problem[] = found.map(({ path, message, hint }) =>
    problem(["input", ...path], message, hint),
  )
  const message = `the input of ${namespace}/${name}@${version} is no JSON Schema 2020-12:${formatProblems(problems)}`
  return new TaskerError("TASKER_WORKFLOW_INVALID", message, { details: { namespace, name, version, problems } })
}
