import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { encodeJson, MAX_JSON_DEPTH, textProblem } from "./json.ts"

const options = { what: "input", maxBytes: 1_000, code: "TASKER_INPUT_INVALID" } as const

function nested(depth: number): unknown {
  return depth === 0 ? 1 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) }
}

describe(encodeJson, () => {
  test("JSON comes out as JSON.stringify writes it", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!/\\u0000|\\ud[89a-f]/.test(JSON.stringify(value)))
        expect(encodeJson(value, { ...options, maxBytes: 100_000 })).toBe(JSON.stringify(value))
      }),
    )
  })

  test.each([
    [{ a: undefined, b: 1 }, '{"b":1}'],
    [[undefined, null], "[null,null]"],
    [new Date(0), '"1970-01-01T00:00:00.000Z"'],
    [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [{ toJSON: () => ({ a: 1 }) }, '{"a":1}'],
    [{ a: { toJSON: () => undefined } }, "{}"],
    [Object.assign(Object.create(null), { a: true }), '{"a":true}'],
    ["a\u0001", '"a\\u0001"'],
    ["😀", '"😀"'],
    [String.raw`no escape: \u0000 \ud800`, String.raw`"no escape: \\u0000 \\ud800"`],
    [
      new (class Point {
        x = 1
      })(),
      '{"x":1}',
    ],
  ])("%o is encoded as %s", (value: unknown, json) => {
    expect(encodeJson(value, options)).toBe(json)
  })

  test("the same object may occur twice", () => {
    const shared = { a: 1 }

    expect(encodeJson([shared, shared], options)).toBe('[{"a":1},{"a":1}]')
  })

  const circular: Record<string, unknown> = {}
  circular["self"] = [circular]

  test.each([
    [undefined, "undefined at input"],
    [{ toJSON: () => undefined }, "undefined (from toJSON) at input"],
    [{ rows: [{ total: 1n }] }, "a bigint at input.rows[0].total"],
    [Number.NaN, "NaN at input"],
    [[Number.POSITIVE_INFINITY], "Infinity at input[0]"],
    [{ "a b": () => 1 }, 'a function at input["a b"]'],
    [{ s: Symbol("s") }, "a symbol at input.s"],
    [circular, "a circular reference at input.self[0]"],
    [{ text: "a\u0000b" }, "text with \\u0000 at input.text"],
    [{ "a\u0000": 1 }, 'text with \\u0000 at input["a\\u0000"]'],
    ["\ud800", "text with half of a surrogate pair at input"],
    [{ a: new Map([[1, 2]]) }, "a Map at input.a"],
    [new Set(), "a Set at input"],
    [{ a: Promise.resolve(1) }, "a Promise at input.a"],
    [new Error("x"), "an Error at input"],
    [new ArrayBuffer(1), "an ArrayBuffer at input"],
    [new Uint8Array(1), "a Uint8Array at input"],
    [new Date(Number.NaN), "an invalid Date at input"],
  ])("%o is refused: %s", (value: unknown, found) => {
    expect(() => encodeJson(value, options)).toThrow(
      expect.objectContaining({ code: "TASKER_INPUT_INVALID", message: `expected input to be JSON, got ${found}` }),
    )
  })

  test("the problem's path starts inside the value", () => {
    expect(() => encodeJson({ a: [1n] }, options)).toThrow(
      expect.objectContaining({
        hint: "use a string",
        details: { problems: [{ path: "a[0]", message: "expected JSON, got a bigint" }] },
      }),
    )
  })

  test(`${MAX_JSON_DEPTH} levels are accepted, and one more is not`, () => {
    expect(encodeJson(nested(MAX_JSON_DEPTH), { ...options, maxBytes: 10_000 })).toContain("1")
    expect(() => encodeJson(nested(MAX_JSON_DEPTH + 1), { ...options, maxBytes: 10_000 })).toThrow(
      "expected input to be at most 100 levels deep, got more",
    )
  })

  test("a depth that would break the call stack is refused alike", () => {
    let deep: unknown = 1
    for (let level = 0; level < 100_000; level++) deep = [deep]

    expect(() => encodeJson(deep, { ...options, maxBytes: 1_000_000 })).toThrow("levels deep")
  })

  test("the size is that of UTF-8, to the byte", () => {
    const text = `a${"é€😀"}`
    const bytes = Buffer.byteLength(JSON.stringify(text))

    expect(encodeJson(text, { ...options, maxBytes: bytes })).toBe(JSON.stringify(text))
    expect(() => encodeJson(text, { ...options, maxBytes: bytes - 1 })).toThrow(
      expect.objectContaining({
        code: "TASKER_INPUT_INVALID",
        message: `expected input to be at most ${bytes - 1} bytes of JSON, got ${bytes}`,
        details: { maxBytes: bytes - 1, bytes },
      }),
    )
  })

  test("the size is right for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 50 }), (text) => {
        fc.pre(textProblem(text) === undefined)
        const bytes = Buffer.byteLength(JSON.stringify(text))
        expect(() => encodeJson(text, { ...options, maxBytes: bytes - 1 })).toThrow(/at most/)
        expect(encodeJson(text, { ...options, maxBytes: bytes })).toBeDefined()
      }),
    )
  })

  test("a small value that unfolds to a giant one ends the walk early", () => {
    let value: unknown = "x"
    for (let level = 0; level < 60; level++) value = [value, value]

    expect(() => encodeJson(value, options)).toThrow("expected input to be at most 1000 bytes of JSON, got more")
  })
})
