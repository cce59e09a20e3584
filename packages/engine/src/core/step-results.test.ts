import { expect, test } from "vitest"
import { stepResults } from "./step-results.ts"

test("a handler sees its direct dependencies and nothing else, not even what is inherited", () => {
  const all: Readonly<Record<string, unknown>> = { price: 1, ship: 2 }
  const results = stepResults(["price", "skipped"], (name) => all[name])

  expect(Object.keys(results)).toEqual(["price", "skipped"])
  expect(results["price"]).toBe(1)
  expect(results["skipped"]).toBeUndefined()
  expect(results["toString"]).toBeUndefined()
  expect(Object.getPrototypeOf(results)).toBeNull()
  expect(Object.isFrozen(results)).toBe(true)
})
