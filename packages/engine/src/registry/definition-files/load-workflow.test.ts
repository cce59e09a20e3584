import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { loadWorkflow } from "./load-workflow.ts"

describe("loadWorkflow", () => {
  let folder: string
  const handlers = { a: () => 1 }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tasker-workflow-"))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  test("reads a workflow, and applies an environment", async () => {
    const file = join(folder, "order.yaml")
    await writeFile(file, "name: x\nversion: 1.0.0\nsteps: [{ name: a }]\nenvironments: { test: { queue: q } }\n")
    const plain = await loadWorkflow(file, handlers)
    expect(plain.steps[0]).toMatchObject({ spec: { queue: "default" }, handler: handlers.a })
    const tested = await loadWorkflow<{ id: string }, { a: number }>(file, handlers, { environment: "test" })
    expect(tested.steps[0]?.spec.queue).toBe("q")
  })

  test("names the file as it was asked for in each mistake", async () => {
    const file = join(folder, "wrong.yaml")
    await writeFile(file, "name: x\nversion: 1.0.0\nsteps: [{ name: b }]\n")
    await expect(loadWorkflow(file, handlers)).rejects.toMatchObject({
      code: "TASKER_WORKFLOW_FILE_INVALID",
      message: expect.stringContaining(`${file}:3:9 step "b" has no handler`),
    })
  })

  test("says that there is no such file, and which one may be meant", async () => {
    await writeFile(join(folder, "refund.yaml"), "")
    await expect(loadWorkflow(join(folder, "refunds.yml"), handlers)).rejects.toMatchObject({
      code: "TASKER_WORKFLOW_FILE_INVALID",
      message: `workflow file "${join(folder, "refunds.yml")}" cannot be read: there is no such file`,
      hint: 'did you mean "refund.yaml"?',
    })
    await expect(loadWorkflow(join(folder, "nowhere", "x.yaml"), handlers)).rejects.toMatchObject({
      hint: "give a path that is right from the working directory, or an absolute one",
    })
  })

  test("says that a folder is no file", async () => {
    await expect(loadWorkflow(folder, handlers)).rejects.toThrow(/cannot be read: it is a folder$/)
  })

  test("refuses bytes that are no text", async () => {
    const file = join(folder, "binary.yaml")
    await writeFile(file, Buffer.from([0x6e, 0xff, 0xfe]))
    await expect(loadWorkflow(file, handlers)).rejects.toThrow(/cannot be read: it is not text in UTF-8$/)
  })
})
