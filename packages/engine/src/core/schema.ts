/** What JSON holds. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/** A JSON Schema (2020-12), as an object. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
}

/**
 * The part of Standard Schema v1 that Tasker uses; zod, valibot and arktype
 * implement it. Written out here because `core/` imports nothing.
 *
 * @see https://standardschema.dev
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": StandardSchemaProps<Input, Output>
}

export interface StandardSchemaProps<Input, Output> {
  readonly version: 1
  readonly vendor: string
  readonly validate: (value: unknown) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>
  readonly types?: { readonly input: Input; readonly output: Output } | undefined
}

export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] }

export interface StandardSchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Whether `schema` implements Standard Schema; otherwise it is a JSON Schema. */
export function isStandardSchema(schema: unknown): schema is StandardSchema {
  // arktype's schemas are functions.
  if ((typeof schema !== "object" && typeof schema !== "function") || schema === null) return false
  // Reading an unknown object's property is safe, and each access is checked.
  const props = (schema as { readonly "~standard"?: unknown })["~standard"]
  return typeof props === "object" && props !== null && "validate" in props && typeof props.validate === "function"
}
