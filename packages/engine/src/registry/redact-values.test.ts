import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { redactValues, typeName } from "./redact-values.ts"

describe("redactValues", () => {
  test.each([
    ['Invalid email: Received "hunter2"', "hunter2", "Invalid email: Received a string"],
    ["must be an email (was 'hunter2')", "hunter2", "must be an email (was a string)"],
    ["Expected >=5 but received 3", 3, "Expected >=5 but received a number"],
    ["Expected >=13 but received 3.", 3, "Expected >=13 but received a number."],
    ["Expected >=5 but received -3.5", -3.5, "Expected >=5 but received a number"],
    ['Expected "ab" but received "a"', "a", 'Expected "ab" but received a string'],
    ['must be a string (was {"pin":"1234"})', { pin: "1234" }, "must be a string (was an object)"],
    ['must be short (was ["s3cret","b"])', ["s3cret", "b"], "must be short (was an array)"],
    ["s3cret is not allowed", { nested: [{ key: "s3cret" }] }, "a string is not allowed"],
    ["the $& (was $&x$1)", "$&x$1", "the $& (was a string)"],
    ["must be a string (was 10)", 10n, "must be a string (was a bigint)"],
  ])("%s", (message, value, redacted) => {
    expect(redactValues(message, value, value)).toBe(redacted)
  })

  test("takes out a long text of another field, and leaves a short one that could be a word of the rule", () => {
    const input = { card: "4111111111111111", size: 5, kind: "min" }
    expect(redactValues("min 5, card 4111111111111111 is not 3", 3, input)).toBe("min 5, card a string is not a number")
  })

  test("survives values that are circular or no JSON", () => {
    const circular: Record<string, unknown> = { big: 1n }
    circular["self"] = circular
    expect(redactValues("was something", circular, circular)).toBe("was something")
  })

  test("no quoted text of the value is left in any message", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 4 }), fc.string(), fc.string(), (secret, before, after) => {
        const redacted = redactValues(`${before}"${secret}"${after}`, secret, { secret })
        // The rest of the message may happen to hold the text again, cut in two by what was put in.
        expect(redacted).not.toContain(`"${secret}"`)
      }),
    )
  })
})

test("typeName", () => {
  expect([undefined, null, [], {}, "x", 1, true].map(typeName)).toEqual([
    "nothing",
    "null",
    "an array",
    "an object",
    "a string",
    "a number",
    "a boolean",
  ])
})
