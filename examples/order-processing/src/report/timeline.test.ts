import { describe, expect, test } from "vitest"
import { createPaint } from "./paint.ts"
import { drawBar, drawScale, renderTimeline } from "./timeline.ts"

const plain = createPaint(false)

function run(name: string, ...attempts: readonly (readonly [number, number, string?])[]) {
  return {
    name,
    resolvedMs: null,
    attempts: attempts.map(([startMs, endMs, failure = null], index) => ({
      attempt: index + 1,
      startMs,
      endMs,
      failure,
    })),
  }
}

describe("drawBar", () => {
  test("draws where a step ran, failed, and waited", () => {
    const bar = drawBar(run("price", [0, 100, "503"], [300, 400]), 560)
    expect(bar).toBe(`${"█".repeat(9)}✗${"░".repeat(20)}${"█".repeat(10)}${" ".repeat(16)}`)
  })

  test("draws what waited for a person, and when that came", () => {
    const bar = drawBar({ ...run("charge", [0, 100, "402"]), resolvedMs: 300 }, 560)
    expect(bar).toBe(`${"█".repeat(9)}✗${"·".repeat(20)}◆${" ".repeat(25)}`)
  })

  test("shows even the shortest attempt, and the very last one", () => {
    expect(drawBar(run("a", [5, 5]), 5_600)).toBe(`█${" ".repeat(55)}`)
    expect(drawBar(run("a", [5_600, 5_600]), 5_600)).toBe(`${" ".repeat(55)}█`)
    expect(drawBar(run("a", [5, 5, "500"], [5, 6]), 5_600).trim()).toBe("✗")
  })
})

test("steps that ran at the same time lie below each other", () => {
  const lines = renderTimeline([run("load", [0, 100]), run("left", [100, 300]), run("right", [100, 200])], plain)
  expect(lines).toEqual([
    `load   ${"█".repeat(18)}`,
    `left   ${" ".repeat(18)}${"█".repeat(37)}`,
    `right  ${" ".repeat(18)}${"█".repeat(19)}`,
    `       ${drawScale(300)}`,
  ])
})

test("says what went wrong beside the bar", () => {
  const [line] = renderTimeline([run("price", [0, 100, "503"], [300, 400])], plain)
  expect(line).toMatch(/ 2 attempts: 503$/)
})

test("the scale has round times at their place", () => {
  expect(drawScale(560)).toBe("╵0 ms     ╵0.10 s   ╵0.20 s   ╵0.30 s   ╵0.40 s   ╵0.50 s")
})

test("colours are left out where there are none", () => {
  expect(createPaint(true).good("x")).toBe("\u001B[32mx\u001B[39m")
  expect(plain.good("x")).toBe("x")
})
