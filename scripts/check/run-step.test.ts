import { describe, expect, test } from "vitest"
import { runStep, type Step } from "./run-step.ts"

function step(script: string): Step {
  return { name: "lint", command: [process.execPath, "-e", script], saw: /on (\d+) files/, things: "files" }
}

describe("runStep", () => {
  test("passes when the check ends with 0 and saw something", async () => {
    const outcome = await runStep(step(`console.log("no errors on 12 files")`), ".")

    expect(outcome).toMatchObject({ passed: true, count: 12, things: "files" })
  })

  test("fails when the check saw no files, though it ended with 0", async () => {
    const outcome = await runStep(step(`console.log("no errors on 0 files")`), ".")

    expect(outcome).toMatchObject({ passed: false, output: expect.stringContaining("lint saw no files") })
  })

  test("fails when the check does not say what it saw", async () => {
    expect(await runStep(step(`console.log("no errors")`), ".")).toMatchObject({ passed: false, count: 0 })
  })

  test("fails when the check does, and keeps what it printed, on both streams", async () => {
    const outcome = await runStep(step(`console.log("on 12 files"); console.error("wrong"); process.exitCode = 2`), ".")

    expect(outcome).toMatchObject({ passed: false, output: expect.stringContaining("wrong") })
  })

  test("fails when the program is not there", async () => {
    const missing: Step = { ...step(""), command: ["./no-such-program"] }

    expect(await runStep(missing, ".")).toMatchObject({ passed: false, output: expect.stringContaining("ENOENT") })
  })
})
