import type { JsonSchema } from "../schema.ts"

/** A field of a payload: what it holds, as JSON Schema, and what it means. */
export interface PayloadField<Value = unknown> {
  readonly schema: JsonSchema
  readonly description: string
  /** Carries the type, so that the compiler compares it with the payload's; absent at run time. */
  readonly "~value"?: (value: Value) => Value
}

/** A field for each of a payload's: the compiler finds one that is missing, too much, or of another type. */
export type PayloadFields<Payload> = { readonly [Key in keyof Payload]-?: PayloadField<Payload[Key]> }

export function text(description: string): PayloadField<string> {
  return { schema: { type: "string" }, description }
}

export function integer(description: string): PayloadField<number> {
  return { schema: { type: "integer" }, description }
}

/** Milliseconds and their like: not always whole. */
export function number(description: string): PayloadField<number> {
  return { schema: { type: "number" }, description }
}

export function oneOf<const Value extends string>(values: readonly Value[], description: string): PayloadField<Value> {
  return { schema: { enum: values }, description }
}

export function listOf<Item>({ schema }: PayloadField<Item>, description: string): PayloadField<readonly Item[]> {
  return { schema: { type: "array", items: schema }, description }
}

export function objectOf<Shape>(fields: PayloadFields<Shape>, description: string): PayloadField<Shape> {
  return { schema: fieldsSchema(fields), description }
}

export function anything(description: string): PayloadField {
  return { schema: {}, description }
}

/** The same, or null: what `null` means is said by the description. */
export function orNull<Value>({ schema, description }: PayloadField<Value>): PayloadField<Value | null> {
  return { schema: { anyOf: [schema, { type: "null" }] }, description }
}

/** The JSON Schema of an object of these fields: all of them, and no others. */
export function fieldsSchema(fields: object): JsonSchema {
  // They are PayloadFields of some payload; the compiler compares them where they are written.
  const entries = Object.entries(fields) as readonly [string, PayloadField][]
  return {
    type: "object",
    required: entries.map(([key]) => key),
    properties: Object.fromEntries(
      entries.map(([key, { schema, description }]) => [key, described(description, schema)]),
    ),
    additionalProperties: false,
  }
}

function described(description: string, schema: JsonSchema): JsonSchema {
  return description === "" ? schema : { description, ...schema }
}
