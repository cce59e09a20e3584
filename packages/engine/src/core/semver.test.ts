import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { compareVersions, isWorkflowVersion, parseVersion, versionSortKey } from "./semver.ts"

const number = fc.oneof(fc.nat(3), fc.nat(99), fc.bigInt({ min: 0n, max: 10n ** 25n })).map(String)
const part = fc.oneof(number, fc.constantFrom("alpha", "beta", "rc", "a", "a-", "-", "0a", "A", "Z", "--1", "a0"))

/** Versions that are often near each other. */
const versions = fc
  .tuple(number, number, number, fc.array(part, { maxLength: 3 }))
  .map(
    ([major, minor, patch, prerelease]) =>
      `${major}.${minor}.${patch}${prerelease.length > 0 ? `-${prerelease.join(".")}` : ""}`,
  )
  .filter((version) => version.length < 100)

/** By bytes, as `collate "C"` does. */
function compareBytes(a: string, b: string): number {
  return Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

describe(parseVersion, () => {
  test.each([
    ["0.0.0", ["0", "0", "0"], [], []],
    ["1.20.300", ["1", "20", "300"], [], []],
    ["1.0.0-alpha.1", ["1", "0", "0"], ["alpha", "1"], []],
    ["1.0.0-0A.is.legal", ["1", "0", "0"], ["0A", "is", "legal"], []],
    ["1.0.0+21AF26D3----117B344092BD", ["1", "0", "0"], [], ["21AF26D3----117B344092BD"]],
    ["1.2.3----RC-SNAPSHOT.12.9.1--.12+788", ["1", "2", "3"], ["---RC-SNAPSHOT", "12", "9", "1--", "12"], ["788"]],
    [
      "99999999999999999999999.999999999999999999.99999999999999999",
      ["99999999999999999999999", "999999999999999999", "99999999999999999"],
      [],
      [],
    ],
  ])("%s is a version", (text, [major, minor, patch], prerelease, build) => {
    expect(parseVersion(text)).toEqual({ major, minor, patch, prerelease, build })
  })

  // The list of semver.org, but for its longest ones.
  test.each([
    "",
    "1",
    "1.2",
    "1.2.3-0123",
    "1.2.3-0123.0123",
    "1.1.2+.123",
    "+invalid",
    "-invalid",
    "alpha",
    "alpha.beta",
    "1.0.0-alpha_beta",
    "1.0.0-alpha..",
    "1.0.0-alpha..1",
    "01.1.1",
    "1.01.1",
    "1.1.01",
    "1.2.3.DEV",
    "1.2-SNAPSHOT",
    "1.2.31.2.3----RC..12.9",
    "-1.0.3-gamma+b7718",
    "9.8.7+meta+meta",
    "9.8.7-whatever+meta+meta",
    "v1.2.3",
    " 1.2.3",
    "1.2.3\n",
    `1.0.0-${"a".repeat(100)}`,
  ])("%j is none", (text) => {
    expect(parseVersion(text)).toBeUndefined()
  })
})

describe(isWorkflowVersion, () => {
  test.each(["1.0.0", "1.0.0-beta.1"])("%j may be a workflow's", (version) => {
    expect(isWorkflowVersion(version)).toBe(true)
  })

  test.each(["1.0.0+build", "1.0", 1, null, undefined])("%j may not", (version) => {
    expect(isWorkflowVersion(version)).toBe(false)
  })
})

describe(compareVersions, () => {
  test("the order is that of semver.org", () => {
    const ordered = [
      "0.9.9",
      "1.0.0-0",
      "1.0.0-9",
      "1.0.0-10",
      "1.0.0-alpha",
      "1.0.0-alpha.1",
      "1.0.0-alpha.beta",
      "1.0.0-alpha-",
      "1.0.0-beta",
      "1.0.0-beta.2",
      "1.0.0-beta.11",
      "1.0.0-rc.1",
      "1.0.0",
      "1.0.1-alpha",
      "1.0.1",
      "1.1.0",
      "1.10.0",
      "2.0.0",
      "10.0.0",
    ]
    const shuffled = fc.shuffledSubarray(ordered, { minLength: ordered.length })
    fc.assert(
      fc.property(shuffled, (list) => {
        expect(list.toSorted(compareVersions)).toEqual(ordered)
      }),
    )
  })

  test("build metadata has no part in it", () => {
    expect(compareVersions("1.0.0+a", "1.0.0+b")).toBe(0)
    expect(versionSortKey("1.0.0+a")).toBe(versionSortKey("1.0.0"))
  })

  test("text that is no version is refused", () => {
    expect(() => compareVersions("1.0.0", "1.0")).toThrow(
      'expected version to be a semantic version, such as "1.2.0", got "1.0"',
    )
  })

  test("it is a total order", () => {
    fc.assert(
      fc.property(versions, versions, versions, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0)
        expect(compareVersions(a, a)).toBe(0)
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0)
      }),
    )
  })
})

describe(versionSortKey, () => {
  test("keys as bytes have the order of the versions", () => {
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        expect(compareBytes(versionSortKey(a), versionSortKey(b))).toBe(Math.sign(compareVersions(a, b)))
      }),
      { numRuns: 2_000 },
    )
  })

  test("a version that is none is refused", () => {
    expect(() => versionSortKey("latest")).toThrow(expect.objectContaining({ code: "TASKER_OPTION_INVALID" }))
  })
})
