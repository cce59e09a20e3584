import { describe, expect, test } from "vitest"
import { findBareCasts } from "./find-bare-casts.ts"

describe("findBareCasts", () => {
  test("finds a cast without a comment, and says the line", () => {
    expect(findBareCasts("a.ts", `const a = 1\n\nconst b = a as 2`)).toEqual([3])
  })

  test.each([
    ["on the line", `const b = a as 2 // the only one there is`],
    ["above the line", `// The only one there is.\nconst b = a as 2`],
    ["above a statement of two lines", `// The only one there is.\nconst b =\n  a as 2`],
    ["within it", `const b = a /* the only one there is */ as 2`],
  ])("accepts a comment %s", (_where, source) => {
    expect(findBareCasts("a.ts", source)).toEqual([])
  })

  test("does not take a comment further up for its reason", () => {
    expect(findBareCasts("a.ts", `// About a.\nconst a = 1\n\nconst b = a as 2`)).toEqual([4])
  })

  test.each(["[1] as const", "JSON.parse(text) as unknown", "{} satisfies object"])(
    "accepts %s, which claims nothing",
    (cast) => {
      expect(findBareCasts("a.ts", `const a = ${cast}`)).toEqual([])
    },
  )

  test("fails when the file does not parse", () => {
    expect(() => findBareCasts("a.ts", "const = 1")).toThrow("a.ts does not parse")
  })
})
