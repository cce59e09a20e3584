import { describe, expect, test } from "vitest"
import { isEventPattern, matchesPattern } from "./event-pattern.ts"

describe("matchesPattern", () => {
  test.each([
    ["step.completed", "step.completed", true],
    ["step.completed", "step.completed_late", false],
    ["*", "step.completed", true],
    ["step.*", "step.completed", true],
    ["step.*", "observability.step.skip", false],
    ["step.*", "step.", false],
    ["*.failed", "step.failed", true],
    ["*.failed", "step.failed.twice", false],
    ["*.failed", ".failed", false],
    ["observability.*.skip", "observability.step.skip", true],
    ["observability.*.skip", "observability.skip", false],
    ["a.*.c.*", "a.b.c.d", true],
    ["a.*.c.*", "a.b.d", false],
    ["a.*.c.*", "a.b.c.", false],
    ["*.*", "step.completed", true],
    ["*.*", "step", false],
  ])("%s and %s: %s", (pattern, name, matches) => {
    expect(matchesPattern(pattern, name)).toBe(matches)
  })
})

describe("isEventPattern", () => {
  test.each(["step.completed", "*", "step.*", "*.failed", "a.*.c"])("%s is one", (text) => {
    expect(isEventPattern(text)).toBe(true)
  })

  test.each(["", "Step.completed", "step.", ".step", "step.com*", "step completed", "step..failed", "**"])(
    "%j is none",
    (text) => {
      expect(isEventPattern(text)).toBe(false)
    },
  )
})
