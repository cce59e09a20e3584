import { expect, test } from "vitest"
import { tracesPage } from "./traces-page.ts"

test("each attribute has a row with its type, where it is, and what it means", () => {
  const page = tracesPage({
    "tasker.a": { type: "int", on: "`tasker.step`", meaning: "how many" },
    "tasker.b": { type: "string", on: "every span", meaning: "which" },
  })
  expect(page).toContain("# Attributes of spans")
  expect(page).toMatch(
    /\n\| --- \| --- \| --- \| --- \|\n\| `tasker\.a` \| int \| `tasker\.step` \| how many \|\n\| `tasker\.b` \| string \| every span \| which \|\n$/,
  )
})
