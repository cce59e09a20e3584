import type { ErrorObject } from "ajv/dist/2020.js"
import { formatPath } from "../core/problem.ts"
import type { StandardSchemaIssue } from "../core/schema.ts"
import { pointerToPath, valueAtPath } from "./json-schema.ts"
import { redactValues, typeName } from "./redact-values.ts"

/** One thing that is wrong with a value that a user gave. Says no values, only their types. */
export interface InputProblem {
  /** Where: `items[0].price`; empty for the value as a whole. */
  readonly path: string
  readonly message: string
}

/** How a value does not match its schema. */
export interface Mismatch {
  /** Up to a hundred. */
  readonly problems: readonly InputProblem[]
  /** The first of them, in one line. */
  readonly summary: string
}

/** How many problems one error lists. */
const MAX_PROBLEMS = 100
/** How many of them its message names. */
const MAX_NAMED_PROBLEMS = 20

/** What a Standard Schema found wrong with a value. */
export function standardMismatch(issues: readonly StandardSchemaIssue[], value: unknown): Mismatch {
  return mismatch(
    issues.slice(0, MAX_PROBLEMS).map((issue) => issueProblem(issue, value)),
    issues.length,
  )
}

/** What Ajv found wrong with a value. */
export function jsonSchemaMismatch(found: readonly ErrorObject[], value: unknown): Mismatch {
  // `if` only says that `then` or `else` did not match, and they speak for themselves.
  const errors = found.filter((error) => error.keyword !== "if")
  return mismatch(
    errors.slice(0, MAX_PROBLEMS).map((error) => ajvProblem(error, value)),
    errors.length,
  )
}

function mismatch(problems: readonly InputProblem[], count: number): Mismatch {
  const named = problems
    .slice(0, MAX_NAMED_PROBLEMS)
    .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
  const more = count > named.length ? `; and ${count - named.length} more` : ""
  return { problems, summary: `${named.join("; ")}${more}` }
}

function issueProblem(issue: StandardSchemaIssue, value: unknown): InputProblem {
  // Spread first: the path of arktype is an array of a class of its own, whose empty `map` is `[0]`.
  const keys = [...(issue.path ?? [])].map((part) => {
    const key = typeof part === "object" ? part.key : part
    // A symbol cannot be a key of JSON, but of what a schema of the user's own looked into.
    return typeof key === "symbol" ? String(key) : key
  })
  const path = formatPath(keys)
  const message = redactValues(issue.message, valueAtPath(value, keys), value)
  // arktype repeats the path.
  return { path, message: path !== "" && message.startsWith(`${path} `) ? message.slice(path.length + 1) : message }
}

function ajvProblem(error: ErrorObject, value: unknown): InputProblem {
  const keys = pointerToPath(error.instancePath, value)
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
        message: `must be ${[params["type"]].flat().join(" or ")}, got ${typeName(valueAtPath(value, keys))}`,
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
