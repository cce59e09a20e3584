import { messageOf } from "../core/describe-value.ts"
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
  /** Whether the last key itself is wrong, rather than what stands under it. Default: false. */
  readonly isAboutKey?: boolean
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
  try {
    // An object or a boolean, or it would have had problems.
    const validate = createAjv(remarks).compile(schema as Record<string, unknown> | boolean)
    const remarked = remarks.flatMap(remarkProblem)
    return remarked.length > 0 ? { validate: undefined, problems: remarked } : { validate, problems: [] }
  } catch (error) {
    return { validate: undefined, problems: [{ path: [], message: compileMessage(error) }] }
  }
}

/** One per schema, so that equal `$id`s of two workflows do not meet; 1 ms each, the meta-schema aside. */
function createAjv(remarks: string[]): Ajv2020 {
  const note = (message: unknown): void => void remarks.push(String(message))
  const ajv = new Ajv2020({
    allErrors: true,
    useDefaults: true,
    // Instead of stopping at the first remark.
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
  const ajv = metaSchemaChecker()
  const unknown = unknownKeywords(schema, ajv.RULES.keywords, [])
  return ajv.validate(DIALECT, schema) ? unknown : [...metaProblems(ajv.errors ?? [], schema), ...unknown]
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
  const message = messageOf(error)
  return message
    .replace(/^can't resolve reference (\S+) from id .*$/s, 'cannot find what "$ref" names: "$1"')
    .replace(/^unknown format "(.*)" ignored in schema at path "(.*)"$/s, 'unknown format "$1" at "$2"')
}

/** What Ajv says about a schema that is valid, but would not do what it says. */
function remarkProblem(remark: string): readonly JsonSchemaProblem[] {
  // Found with their places by unknownKeywords, which lets some pass.
  if (remark.startsWith("strict mode: unknown keyword:")) return []
  if (remark === "strict mode: default is ignored in the schema root") {
    return [{ path: ["default"], message: "the default of the whole schema cannot be applied", hint: "remove it" }]
  }
  const ignored = /^strict mode: default is ignored for: data(.*)$/s.exec(remark)?.[1]
  if (ignored === undefined) return [{ path: [], message: remark.replace("strict mode: ", "") }]
  const message = `the default of "${ignored.replace(/^\./, "")}" cannot be applied where it stands`
  return [{ path: [], message, hint: "move it out of anyOf, oneOf, not and if" }]
}

/** Keywords whose values hold schemas by the user's names, and those whose values hold no schemas. */
const NAMED_SCHEMAS = new Set(["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"])
const NO_SCHEMAS = new Set(["default", "const", "enum", "examples", "dependentRequired", "dependencies", "$vocabulary"])

type SchemaPath = readonly (string | number)[]

/** Every keyword that is not known, and is not somebody's extension (`x-…`), wherever it stands. */
function unknownKeywords(
  schema: unknown,
  known: Readonly<Record<string, unknown>>,
  path: SchemaPath,
): readonly JsonSchemaProblem[] {
  if (Array.isArray(schema)) return schema.flatMap((item, index) => unknownKeywords(item, known, [...path, index]))
  return entriesOf(schema).flatMap(([keyword, value]) => {
    // `$async` is Ajv's own, and would make the result a promise.
    if (!Object.hasOwn(known, keyword) || keyword === "$async") return unknownKeyword(keyword, known, path)
    if (NO_SCHEMAS.has(keyword)) return []
    if (!NAMED_SCHEMAS.has(keyword)) return unknownKeywords(value, known, [...path, keyword])
    return entriesOf(value).flatMap(([name, inner]) => unknownKeywords(inner, known, [...path, keyword, name]))
  })
}

function unknownKeyword(
  keyword: string,
  known: Readonly<Record<string, unknown>>,
  path: SchemaPath,
): readonly JsonSchemaProblem[] {
  if (keyword.startsWith("x-")) return []
  const hint = didYouMean(
    keyword,
    Object.keys(known).filter((one) => one !== "$async"),
  )
  const problem = { path: [...path, keyword], message: `unknown keyword "${keyword}"`, isAboutKey: true }
  return [hint === undefined ? problem : { ...problem, hint }]
}

function entriesOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : []
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
