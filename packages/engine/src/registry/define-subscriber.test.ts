import { describe, expect, test } from "vitest"
import { defineSubscriber } from "./define-subscriber.ts"

describe("defineSubscriber", () => {
  test("returns what it was given, as it is", () => {
    const definition = { name: "pager", on: { "step.failed": () => {}, "order.*": () => {} }, timeoutMs: 5 }
    expect(defineSubscriber(definition)).toBe(definition)
  })

  test("names all that is wrong, where it is written", () => {
    // As without a compiler.
    const on = { "step.complted": () => {}, "task.failed": "page" } as never
    expect(() => defineSubscriber({ name: "pager", on, timeoutMs: 0 })).toThrow(
      expect.objectContaining({
        code: "TASKER_SUBSCRIBER_INVALID",
        details: expect.objectContaining({
          problems: [
            expect.objectContaining({ path: 'on["step.complted"]', hint: 'did you mean "step.completed"?' }),
            expect.objectContaining({ path: 'on["task.failed"]' }),
            expect.objectContaining({ path: "timeoutMs" }),
          ],
        }),
      }),
    )
  })
})
