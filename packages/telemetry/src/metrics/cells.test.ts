import { expect, test } from "vitest"
import { HistogramCell } from "./cells.ts"

test("a bucket holds what is at most its bound, and all below", () => {
  const cell = new HistogramCell({ step: "a" }, [0.1, 1])
  for (const value of [0, 0.1, 0.2, 1, 1.5, 100]) cell.observe(value)
  const samples = cell.samples("h")
  expect(samples.map(({ metricName, labels: { le }, value }) => [metricName, le, value])).toEqual([
    ["h_bucket", "0.1", 2],
    ["h_bucket", "1", 4],
    ["h_bucket", "+Inf", 6],
    ["h_sum", undefined, expect.closeTo(102.8)],
    ["h_count", undefined, 6],
  ])
  expect(samples.every(({ labels }) => labels["step"] === "a")).toBe(true)
})
