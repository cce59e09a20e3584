import { expect, test } from "vitest"
import { silentLogger } from "./logger.ts"

test("the silent logger has the four methods, and says nothing", () => {
  for (const level of ["debug", "info", "warn", "error"] as const) {
    expect(silentLogger[level]({ taskId: "1" }, "said")).toBeUndefined()
  }
})
