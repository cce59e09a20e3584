import { type } from "arktype"
import fc from "fast-check"
import * as v from "valibot"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { isTaskerError } from "../core/error.ts"
import type { JsonSchema, StandardSchema } from "../core/schema.ts"
import type { InputProblem } from "./schema-mismatch.ts"
import { createInputValidator } from "./validate-input.ts"

const workflow = { namespace: "shop", name: "process_order", version: "1.2.0" }

const libraries: readonly (readonly [string, StandardSchema])[] = [
  [
    "zod",
    z.object({
      items: z.array(z.object({ price: z.number().min(5) })),
      email: z.email(),
      note: z.string().optional(),
      currency: z.string().default("EUR"),
    }),
  ],
  [
    "valibot",
    v.object({
      items: v.array(v.object({ price: v.pipe(v.number(), v.minValue(5)) })),
      email: v.pipe(v.string(), v.email()),
      note: v.optional(v.string()),
      currency: v.optional(v.string(), "EUR"),
    }),
  ],
  [
    "arktype",
    type({
      items: type({ price: "number >= 5" }).array(),
      email: "string.email",
      "note?": "string",
      currency: "string = 'EUR'",
    }),
  ],
]

const jsonSchema: JsonSchema = {
  type: "object",
  required: ["items", "email"],
  additionalProperties: false,
  properties: {
    items: {
      type: "array",
      items: { type: "object", required: ["price"], properties: { price: { type: "number", minimum: 5 } } },
    },
    email: { type: "string", format: "email" },
    note: { type: "string" },
    currency: { type: "string", default: "EUR" },
    kind: { enum: ["gift", "order"] },
    terms: { const: true },
  },
}

async function validated(schema: StandardSchema | JsonSchema | null, input: unknown): Promise<unknown> {
  return await createInputValidator(schema, workflow)(input)
}

async function problemsOf(schema: StandardSchema | JsonSchema, input: unknown): Promise<readonly InputProblem[]> {
  try {
    await validated(schema, input)
    return []
  } catch (error) {
    if (!isTaskerError(error, "TASKER_INPUT_INVALID")) throw error
    return error.details["problems"] as readonly InputProblem[]
  }
}

const valid = { items: [{ price: 7 }], email: "a@b.test" }

describe.each([...libraries, ["JSON Schema", jsonSchema] as const])("createInputValidator with %s", (_, schema) => {
  test("returns the input with its defaults, leaves optional keys out, and changes nothing of the caller's", async () => {
    const input = structuredClone(valid)
    await expect(validated(schema, input)).resolves.toEqual({ ...valid, currency: "EUR" })
    expect(input).toEqual(valid)
  })

  test("names each path, and no value", async () => {
    const input = { items: [{ price: 7 }, { price: 3 }, {}], email: "hunter2-secret", note: 4242 }
    const problems = await problemsOf(schema, input)
    expect(problems.map(({ path }) => path).toSorted()).toEqual(["email", "items[1].price", "items[2].price", "note"])
    const text = JSON.stringify(problems)
    expect(text).not.toContain("hunter2")
    expect(text).not.toContain("4242")
    expect(text).not.toMatch(/received 3|was 3|got 3/)
  })

  test("does not coerce", async () => {
    const problems = await problemsOf(schema, { items: [{ price: "7" }], email: "a@b.test" })
    expect(problems.map(({ path }) => path)).toEqual(["items[0].price"])
  })

  test("refuses what is no object at all, with an empty path", async () => {
    for (const input of [null, "text", 5]) {
      expect((await problemsOf(schema, input)).map(({ path }) => path)[0]).toBe("")
    }
  })
})

describe("createInputValidator", () => {
  test("accepts anything when there is no schema", async () => {
    await expect(validated(null, { any: [1] })).resolves.toEqual({ any: [1] })
  })

  test("says the workflow, each path and what is wrong", async () => {
    const input = { items: [{ price: "x" }], extra: 1, kind: "x", terms: false, "odd key": 1 }
    await expect(validated(jsonSchema, input)).rejects.toMatchObject({
      code: "TASKER_INPUT_INVALID",
      message:
        "the input of shop/process_order@1.2.0 does not match its schema: email: is required; extra: is not allowed; "
        + '["odd key"]: is not allowed; items[0].price: must be number, got a string; '
        + 'kind: must be one of "gift", "order"; terms: must be true',
    })
  })

  test("lists 100 problems at most, names 20 of them, and says how many there are", async () => {
    const input = { items: Array.from({ length: 1_000 }, () => ({})), email: "a@b.test" }
    const failure = validated(jsonSchema, input)
    await expect(failure).rejects.toThrow(/items\[19\]\.price: is required; and 980 more$/)
    expect(await problemsOf(jsonSchema, input)).toHaveLength(100)
  })

  test("checks what will be stored: a Date is text by then, and undefined is left out", async () => {
    const schema = {
      type: "object",
      properties: { at: { type: "string", format: "date-time" } },
      additionalProperties: false,
    }
    const at = new Date(0)
    await expect(validated(schema, { at, nothing: undefined })).resolves.toEqual({ at: "1970-01-01T00:00:00.000Z" })
  })

  test.each([
    ["a function", { items: [() => 1] }],
    ["a bigint", { items: [1n] }],
    ["undefined", undefined],
  ])("refuses %s, which is no JSON", async (_, input) => {
    await expect(validated(jsonSchema, input)).rejects.toMatchObject({
      code: "TASKER_INPUT_INVALID",
    })
  })

  test("says of a condition what follows from it, and not that there is one", async () => {
    const schema = { if: { required: ["cash"] }, else: { required: ["cvc"] } }
    expect(await problemsOf(schema, { card: 1 })).toEqual([{ path: "cvc", message: "is required" }])
  })

  test("a default of one task is not shared with the next", async () => {
    const validate = createInputValidator({ type: "object", properties: { tags: { default: [] } } }, workflow)
    const first = validate({}) as { tags: string[] }
    first.tags.push("x")
    expect(validate({})).toEqual({ tags: [] })
  })

  test("waits for a schema that answers later", async () => {
    const schema = z.object({ id: z.string().refine(async (id) => Promise.resolve(id !== "taken-id"), "is taken") })
    await expect(validated(schema, { id: "free-id" })).resolves.toEqual({ id: "free-id" })
    expect(await problemsOf(schema, { id: "taken-id" })).toEqual([{ path: "id", message: "is taken" }])
  })

  test("takes values out of messages that a user's own rule wrote", async () => {
    const schema = z.object({ a: z.string(), b: z.string() }).refine(() => false, {
      error: ({ input }) => `a and b differ: ${JSON.stringify(input)}`,
    })
    expect(await problemsOf(schema, { a: "s3cret", b: "other1" })).toEqual([
      { path: "", message: "a and b differ: an object" },
    ])
  })

  test("an invalid JSON Schema is reported at once, with every place", () => {
    const make = () => createInputValidator({ type: "objct", properties: { a: { tpye: "string" } } }, workflow)
    expect(make).toThrow(
      expect.objectContaining({
        code: "TASKER_WORKFLOW_INVALID",
        details: expect.objectContaining({
          problems: [
            expect.objectContaining({ path: "input.type", hint: 'did you mean "object"?' }),
            expect.objectContaining({ path: "input.properties.a.tpye", hint: 'did you mean "type"?' }),
          ],
        }),
      }),
    )
  })

  test("no text of an input is in any error, whatever the library", async () => {
    const secret = fc.string({ minLength: 6, unit: "grapheme-ascii" }).filter((text) => /[^\w\s]/.test(text))
    const schemas: readonly (StandardSchema | JsonSchema)[] = [
      z.object({ a: z.enum(["x"]), b: z.int() }),
      v.object({ a: v.picklist(["x"]), b: v.pipe(v.number(), v.integer()) }),
      type({ a: "'x'", b: "number.integer" }),
      { properties: { a: { enum: ["x"] }, b: { type: "integer" } } },
    ]
    await fc.assert(
      fc.asyncProperty(secret, fc.constantFrom(...schemas), async (text, schema) => {
        const problems = await problemsOf(schema, { a: text, b: text })
        expect(problems).toHaveLength(2)
        for (const { message } of problems) expect(message).not.toContain(text)
      }),
    )
  })
})
