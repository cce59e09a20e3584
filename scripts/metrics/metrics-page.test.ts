import { expect, test } from "vitest"
import { metricsPage } from "./metrics-page.ts"

test("each metric has a row in the table of its scope, and each histogram its buckets", () => {
  const page = metricsPage(
    [
      { name: "a_total", type: "counter", help: "A or B", labels: [], scope: "process" },
      { name: "b_seconds", type: "histogram", help: "B", labels: ["queue", "state"], scope: "system" },
    ],
    { b_seconds: [0.1, 1] },
  )

  const [, ofProcess = "", ofSystem = "", buckets = ""] = page.split("\n## ")
  expect(ofProcess).toContain("| `a_total` | counter |  | A or B |")
  expect(ofProcess).not.toContain("b_seconds")
  expect(ofSystem).toContain("| `b_seconds` | histogram | `queue`, `state` | B |")
  expect(ofSystem).not.toContain("a_total")
  expect(buckets).toMatch(/- `b_seconds`: 0\.1, 1\n$/)
})
