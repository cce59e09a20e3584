import { describe, expect, test } from "vitest"
import { formatPath, formatProblems, problem } from "./problem.ts"

describe(formatPath, () => {
  test.each([
    [["steps", 2, "dependsOn", 0], "steps[2].dependsOn[0]"],
    [[], ""],
    [["a b"], '["a b"]'],
    [["input", "x-y", "z"], 'input["x-y"].z'],
    [[0], "[0]"],
  ])("%j is written %j", (segments, path) => {
    expect(formatPath(segments)).toBe(path)
  })
})

test("a problem has a hint only when there is one", () => {
  expect(problem(["a"], "wrong")).toEqual({ path: "a", segments: ["a"], message: "wrong" })
  expect(problem(["a"], "wrong", "fix it").hint).toBe("fix it")
})

describe(formatProblems, () => {
  test("each problem is a line with its path and its hint", () => {
    const problems = [problem(["a"], "is wrong", "fix it"), problem([], "is missing")]

    expect(formatProblems(problems)).toBe("\n  a: is wrong (fix it)\n  is missing")
  })
})
