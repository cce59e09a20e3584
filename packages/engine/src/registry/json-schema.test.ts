import { describe, expect, test } from "vitest"
import { compileJsonSchema } from "./json-schema.ts"

const problemsOf = (schema: unknown) => compileJsonSchema(schema).problems

describe("compileJsonSchema", () => {
  test("accepts a schema of the 2020-12 dialect, with or without saying so", () => {
    const schema = { type: "object", prefixItems: [true], properties: { id: { type: "string", format: "uuid" } } }
    expect(problemsOf(schema)).toEqual([])
    expect(problemsOf({ ...schema, $schema: "https://json-schema.org/draft/2020-12/schema" })).toEqual([])
    expect(problemsOf(true)).toEqual([])
  })

  test("names every misspelt keyword and where it stands, but not a property of that name", () => {
    const schema = {
      type: "object",
      properties: { tpye: { tpye: "string" } },
      requierd: ["a"],
      examples: [{ requierd: 1 }],
    }
    expect(problemsOf(schema)).toEqual([
      {
        path: ["properties", "tpye", "tpye"],
        message: 'unknown keyword "tpye"',
        isAboutKey: true,
        hint: 'did you mean "type"?',
      },
      { path: ["requierd"], message: 'unknown keyword "requierd"', isAboutKey: true, hint: 'did you mean "required"?' },
    ])
  })

  test("takes no names of the user's for keywords", () => {
    expect(
      problemsOf({ dependentRequired: { card: ["cvc"] }, const: { foo: 1 }, patternProperties: { "^bar": {} } }),
    ).toEqual([])
  })

  test("reports what the meta-schema refuses and misspelt keywords together", () => {
    const paths = problemsOf({ type: "objct", propertes: {} }).map(({ path }) => path)
    expect(paths).toEqual([["type"], ["propertes"]])
  })

  test("leaves keywords that start with x- to their owners", () => {
    expect(problemsOf({ type: "object", "x-form": { order: 1 }, properties: { a: { "x-label": "A" } } })).toEqual([])
  })

  test("says once per place what the meta-schema refuses", () => {
    expect(problemsOf({ type: "strng", properties: [{}], minLength: -1 })).toEqual([
      { path: ["properties"], message: '"properties" must be object' },
      {
        path: ["type"],
        message:
          '"type" must be one of "array", "boolean", "integer", "null", "number", "object", "string", got "strng"',
        hint: 'did you mean "string"?',
      },
      { path: ["minLength"], message: '"minLength" must be >= 0' },
    ])
  })

  test.each([
    ["no schema", "text", [], "expected a JSON Schema to be an object"],
    ["a list", [], [], "expected a JSON Schema to be an object"],
    ["a missing $ref", { $ref: "#/$defs/x" }, [], 'cannot find what "$ref" names: "#/$defs/x"'],
    ["a remote $ref", { $ref: "http://localhost/x" }, [], 'cannot find what "$ref" names: "http://localhost/x"'],
    ["an unknown format", { type: "string", format: "emial" }, [], 'unknown format "emial" at "#"'],
    ["a broken pattern", { type: "string", pattern: "(" }, [], expect.stringContaining("(")],
    ["Ajv's own $async", { $async: true }, ["$async"], 'unknown keyword "$async"'],
    [
      "a misspelling beside a wrong value",
      { $defs: { a: { typo: 1 } } },
      ["$defs", "a", "typo"],
      'unknown keyword "typo"',
    ],
  ])("refuses %s", (_, schema, path, message) => {
    expect(problemsOf(schema)).toEqual([expect.objectContaining({ path, message })])
  })

  test("refuses another draft, and says which one to write", () => {
    expect(problemsOf({ $schema: "http://json-schema.org/draft-07/schema#" })).toEqual([
      {
        path: ["$schema"],
        message:
          'expected "$schema" to be "https://json-schema.org/draft/2020-12/schema", got "http://json-schema.org/draft-07/schema#"',
        hint: "write the schema in JSON Schema 2020-12, and leave `$schema` out",
      },
    ])
  })

  test("refuses a default that could not be applied, rather than dropping it", () => {
    expect(problemsOf({ anyOf: [{ type: "object", properties: { a: { default: 1 } } }] })).toEqual([
      {
        path: [],
        message: 'the default of "a" cannot be applied where it stands',
        hint: "move it out of anyOf, oneOf, not and if",
      },
    ])
  })

  test("refuses a default of the whole, which nothing could stand in for", () => {
    expect(problemsOf({ type: "object", default: {} })).toEqual([
      { path: ["default"], message: "the default of the whole schema cannot be applied", hint: "remove it" },
    ])
  })

  test("keeps schemas with one $id apart", () => {
    const first = compileJsonSchema({ $id: "https://shop.test/input", type: "string" })
    const second = compileJsonSchema({ $id: "https://shop.test/input", type: "number" })
    expect([first.validate?.("x"), first.validate?.(1), second.validate?.("x"), second.validate?.(1)]).toEqual([
      true,
      false,
      false,
      true,
    ])
  })
})
