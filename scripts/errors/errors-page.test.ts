import { expect, test } from "vitest"
import { errorsPage } from "./errors-page.ts"

test("each code has a section with its status, its meaning and what to do", () => {
  const page = errorsPage({
    TASKER_A: { status: 404, retryable: false, meaning: "no task has this id", action: "check the id" },
    TASKER_B: { status: 503, retryable: true, meaning: "the database is away" },
  })

  expect(page).toContain("# Errors")
  expect(page).toContain(
    "## TASKER_A\n\nStatus 404, not retryable.\n\nNo task has this id.\n\n**What to do:** Check the id.\n\n## TASKER_B",
  )
  expect(page).toMatch(/## TASKER_B\n\nStatus 503, retryable\.\n\nThe database is away\.\n$/)
})
