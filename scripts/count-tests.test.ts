import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, test } from "vitest"

const script = fileURLToPath(new URL("count-tests.mjs", import.meta.url))

describe("count-tests", () => {
  let folder: string

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tasker-count-"))
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function report(name: string, passed: number, failed: number, testResults: readonly object[] = []): string {
    const file = join(folder, name)
    const counts = { numPassedTests: passed, numFailedTests: failed, numPendingTests: 1, numTodoTests: 0 }
    writeFileSync(file, JSON.stringify({ ...counts, testResults }))
    return file
  }

  function count(...args: string[]): { status: number | null; stdout: string } {
    return spawnSync(process.execPath, [script, ...args], { encoding: "utf8" })
  }

  test("adds the reports up", () => {
    expect(count("0", report("a", 3, 0), report("b", 4, 0))).toMatchObject({
      status: 0,
      stdout: "7 passed, 0 failed, 2 skipped\n",
    })
  })

  test("fails when a test failed", () => {
    expect(count("1", report("a", 3, 2))).toMatchObject({ status: 1, stdout: "3 passed, 2 failed, 1 skipped\n" })
  })

  test("counts a file that fails outside of its tests", () => {
    const broken = { status: "failed", assertionResults: [{ status: "passed" }] }

    expect(count("1", report("a", 3, 0, [broken]))).toMatchObject({
      status: 1,
      stdout: "3 passed, 1 failed, 1 skipped\n",
    })
  })

  test("fails when a part failed though no test did", () => {
    expect(count("1", report("a", 3, 0))).toMatchObject({ status: 1, stdout: "3 passed, 1 failed, 1 skipped\n" })
  })

  test("fails when there is no report", () => {
    expect(count("0", join(folder, "none"))).toMatchObject({ status: 1, stdout: "0 passed, 1 failed, 0 skipped\n" })
  })

  test("fails when no test ran", () => {
    expect(count("0", report("a", 0, 0))).toMatchObject({ status: 1, stdout: "0 passed, 0 failed, 1 skipped\n" })
  })
})
