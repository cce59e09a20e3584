import { Ajv2020 } from "ajv/dist/2020.js"
import type { ErrorObject, ValidateFunction } from "ajv/dist/2020.js"
import ajvFormats from "ajv-formats"
import { didYouMean } from "../core/names.ts"

/** What is wrong with a JSON Schema. */
export interface JsonSchemaProblem {
  /** Keys and indexes from the schema's root to what is wrong. */
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly hint?: string
}

/** A schema that can be used, or what is wrong with it. */
export type CompiledJsonSchema =
  | { readonly validate: ValidateFunction; readonly problems: readonly [] }
  | { readonly validate: undefined; readonly problems: readonly JsonSchemaProblem[] }

const DIALECT = "https://json-schema.org/draft/2020-12/schema"

/**
 * Compiles a JSON Schema (2020-12) for values that it may change: missing
 * properties get their defaults. Nothing is coerced.
 *
 * Unknown keywords are problems, because a misspelt one would check nothing;
 * those that start with `x-` are left to their owners.
 */
export function compileJsonSchema(schema: unknown): CompiledJsonSchema {
  const problems = findProblems(schema)
  if (problems.length > 0) return { validate: undefined, problems }
  const remarks: string[] = []
  const ajv = createAjv(remarks)
  let validate: ValidateFunction
  try {
    // An object or a boolean, or it would have had problems.
    validate = ajv.compile(schema as Record<string, unknown> | boolean)
  } catch (error) {
    return { validate: undefined, problems: [{ path: [], message: compileMessage(error) }] }
  }
  const remarked = remarks.flatMap((remark) => remarkProblems(remark, schema, ajv))
  return remarked.length > 0 ? { validate: undefined, problems: remarked } : { validate, problems: [] }
}

/** One per schema, so that equal `$id`s of two workflows do not meet; 1 ms each, the meta-schema aside. */
function createAjv(remarks: string[]): Ajv2020 {
  const note = (message: unknown): void => void remarks.push(String(message))
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    // Instead of stopping at the first misspelt keyword.
    strictSchema: "log",
    strictTypes: false,
    strictTuples: false,
    allowUnionTypes: true,
    // Done already, by one instance for all.
    validateSchema: false,
    logger: { log: note, warn: note, error: note },
  })
  ajvFormats.default(ajv)
  return ajv
}

let checker: Ajv2020 | undefined

/** Compiling the meta-schema takes 40 ms, so it is kept. It holds nothing of any schema that it checked. */
function metaSchemaChecker(): Ajv2020 {
  checker ??= new Ajv2020({ allErrors: true, logger: false })
  return checker
}

function findProblems(schema: unknown): readonly JsonSchemaProblem[] {
  if (typeof schema === "boolean") return []
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    return [{ path: [], message: "expected a JSON Schema to be an object" }]
  }
  if ("$schema" in schema && schema.$schema !== DIALECT) {
    const message = `expected "$schema" to be "${DIALECT}", got ${JSON.stringify(schema.$schema)}`
    return [{ path: ["$schema"], message, hint: "write the schema in JSON Schema 2020-12, and leave `$schema` out" }]
  }
  // Ajv's own extension; its result would be a promise.
  if ("$async" in schema) return [{ path: ["$async"], message: 'unknown keyword "$async"' }]
  const ajv = metaSchemaChecker()
  if (ajv.validate(DIALECT, schema)) return []
  return metaProblems(ajv.errors ?? [], schema)
}

/** One problem per place: a wrong `type` alone breaks three rules of the meta-schema. */
function metaProblems(errors: readonly ErrorObject[], schema: unknown): readonly JsonSchemaProblem[] {
  const byPlace = new Map<string, JsonSchemaProblem>()
  for (const error of errors) {
    const known = byPlace.has(error.instancePath)
    if (known && error.keyword !== "enum") continue
    const path = pointerToPath(error.instancePath, schema)
    byPlace.set(error.instancePath, { path, ...metaMessage(error, path, schema) })
  }
  return [...byPlace.values()]
}

function metaMessage(
  error: ErrorObject,
  path: readonly (string | number)[],
  schema: unknown,
): { message: string; hint?: string } {
  const name = path.length === 0 ? "the schema" : JSON.stringify(String(path.at(-1)))
  if (error.keyword !== "enum") return { message: `${name} ${error.message ?? "breaks JSON Schema 2020-12"}` }
  // The parameters of this keyword, by Ajv's documentation.
  const allowed = (error.params as { readonly allowedValues: readonly unknown[] }).allowedValues.map(String)
  const value = valueAtPath(schema, path)
  const hint = typeof value === "string" ? didYouMean(value, allowed) : undefined
  const list = allowed.map((one) => JSON.stringify(one)).join(", ")
  return {
    message: `${name} must be one of ${list}${typeof value === "string" ? `, got ${JSON.stringify(value)}` : ""}`,
    ...(hint === undefined ? {} : { hint }),
  }
}

function compileMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message
    .replace(/^can't resolve reference (\S+) from id .*$/s, 'cannot find what "$ref" names: "$1"')
    .replace(/^unknown format "(.*)" ignored in schema at path "(.*)"$/s, 'unknown format "$1" at "$2"')
}

/** What Ajv's strict mode says, with its place where the keyword tells. */
function remarkProblems(remark: string, schema: unknown, ajv: Ajv2020): readonly JsonSchemaProblem[] {
  const keyword = /^strict mode: unknown keyword: "(.*)"$/s.exec(remark)?.[1]
  if (keyword === undefined) {
    if (remark === "strict mode: default is ignored in the schema root") {
      return [{ path: ["default"], message: "the default of the whole schema cannot be applied", hint: "remove it" }]
    }
    const ignored = /^strict mode: default is ignored for: data(.*)$/s.exec(remark)?.[1]
    const message =
      ignored === undefined
        ? remark
        : `the default of "${ignored.replace(/^\./, "")}" cannot be applied where it stands`
    return [
      { path: [], message, ...(ignored === undefined ? {} : { hint: "move it out of anyOf, oneOf, not and if" }) },
    ]
  }
  if (keyword.startsWith("x-")) return []
  const hint = didYouMean(keyword, Object.keys(ajv.RULES.keywords))
  const message = `unknown keyword "${keyword}"`
  const places = [...findKeyword(schema, keyword, [])]
  return (places.length > 0 ? places : [[]]).map((path) => ({ path, message, ...(hint === undefined ? {} : { hint }) }))
}

/** Keywords whose values hold schemas by the user's names, and those that hold values instead of schemas. */
const NAMED_SCHEMAS = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"])
const VALUES = new Set(["default", "const", "enum", "examples"])

function* findKeyword(
  schema: unknown,
  keyword: string,
  path: readonly (string | number)[],
): Iterable<readonly (string | number)[]> {
  if (Array.isArray(schema)) {
    for (const [index, item] of schema.entries()) yield* findKeyword(item, keyword, [...path, index])
  } else if (typeof schema === "object" && schema !== null) {
    for (const [key, value] of Object.entries(schema)) {
      if (key === keyword) yield [...path, key]
      if (VALUES.has(key)) continue
      if (!NAMED_SCHEMAS.has(key)) yield* findKeyword(value, keyword, [...path, key])
      else
        for (const [name, named] of Object.entries(value ?? {}))
          yield* findKeyword(named, keyword, [...path, key, name])
    }
  }
}

/** The keys and indexes of a JSON pointer. An index is a number only where `value` has an array. */
export function pointerToPath(pointer: string, value: unknown): readonly (string | number)[] {
  const path: (string | number)[] = []
  let at = value
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~")
    path.push(Array.isArray(at) ? Number(key) : key)
    at = valueAtPath(at, [key])
  }
  return path
}

/** What stands at `path` in `value`; undefined when nothing does. */
export function valueAtPath(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value
  for (const key of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined
    // An own property of an object can be read by its key.
    at = (at as Readonly<Record<PropertyKey, unknown>>)[key]
  }
  return at
}
