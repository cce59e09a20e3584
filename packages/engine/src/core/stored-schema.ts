import { encodeJson } from "./json.ts"
import { isStandardSchema, type JsonSchema, type JsonValue, type StandardSchema } from "./schema.ts"

/** The largest JSON Schema of an input, in bytes. */
export const MAX_SCHEMA_BYTES = 1_048_576

/**
 * The JSON Schema of an input as it is stored, for people and for forms: the
 * user's own; or what the library makes of a Standard Schema, when it can.
 * Validation never reads it: that is done by the schema itself.
 */
export function storedSchema(schema: StandardSchema | JsonSchema | undefined): JsonValue {
  if (schema === undefined) return null
  if (!isStandardSchema(schema)) return asJson(schema)
  try {
    return asJson(convert(schema))
  } catch {
    // "Conversion may throw if it is not supported", says the standard: a transform, a date, a class.
    return null
  }
}

function asJson(value: unknown): JsonValue {
  // A copy, so that the definition stays as it is when the user's object changes.
  return JSON.parse(
    encodeJson(value, { what: "input", maxBytes: MAX_SCHEMA_BYTES, code: "TASKER_WORKFLOW_INVALID" }),
  ) as JsonValue
}

/** Standard JSON Schema, which zod, arktype and others add to Standard Schema; null when the library does not. */
function convert(schema: StandardSchema): unknown {
  // The optional access and the try above are the check.
  const props = schema["~standard"] as { readonly jsonSchema?: JsonSchemaConverter }
  return props.jsonSchema?.input({ target: "draft-2020-12" }) ?? null
}

/** @see https://standardschema.dev/json-schema */
interface JsonSchemaConverter {
  input(options: { readonly target: string }): unknown
}
