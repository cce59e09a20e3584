import { expect, test } from "vitest"
import { describeValue } from "./describe-value.ts"

test.each([
  [undefined, "nothing"],
  [null, "null"],
  ["text\n", '"text\\n"'],
  ["x".repeat(61), `"${"x".repeat(60)}"… (61 characters)`],
  [1.5, "1.5"],
  [Number.NaN, "NaN"],
  [true, "true"],
  [10n, "10n"],
  [() => 1, "a function"],
  [Symbol("s"), "a symbol"],
  [[], "an empty list"],
  [[1, 2], "a list of 2"],
  [{ a: 1 }, "an object"],
  [new Date(0), "a Date"],
  [Object.create(null), "an object"],
])("%o is described as %j", (value: unknown, expected) => {
  expect(describeValue(value)).toBe(expected)
})
