import { expect, test } from "vitest"
import { buildDefinition } from "./build-workflow.ts"
import { definitionJson } from "./definition-json.ts"

test("the same definition gives the same text, whatever the order of its keys", () => {
  const first = buildDefinition({
    name: "greet",
    version: "1.0.0",
    input: { type: "object", required: ["b", "a"], properties: { b: {}, a: {} } },
    steps: [{ name: "say", queue: "slow", maxAttempts: 2 }],
  })
  const second = buildDefinition({
    steps: [{ maxAttempts: 2, queue: "slow", name: "say" }],
    input: { properties: { a: {}, b: {} }, required: ["b", "a"], type: "object" },
    version: "1.0.0",
    name: "greet",
  })

  expect(definitionJson(first)).toBe(definitionJson(second))
  expect(JSON.parse(definitionJson(first))).toEqual(first)
})

test("keys are sorted and there are no spaces, but lists keep their order", () => {
  const definition = buildDefinition({ name: "empty", version: "1.0.0", input: { required: ["b", "a"] }, steps: [] })

  expect(definitionJson(definition)).toBe(
    '{"description":null,"inputSchema":{"required":["b","a"]},"name":"empty","namespace":"default","priority":3,"steps":[],"version":"1.0.0"}',
  )
})

test("config is no part of it", () => {
  const definition = buildDefinition({ name: "x", version: "1.0.0", steps: [{ name: "a", config: { key: "s3cret" } }] })

  expect(definitionJson(definition)).not.toContain("s3cret")
})
