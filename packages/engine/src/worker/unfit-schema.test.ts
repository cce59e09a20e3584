import { expect, it } from "vitest"
import { defineWorkflow } from "../core/define-workflow.ts"
import { type LogFields, silentLogger } from "../core/logger.ts"
import { testDatabase } from "../database/test-database.ts"
import { createTasker } from "../tasker.ts"
import { createGate } from "../testing.ts"

it("a worker keeps what its handlers came to while the functions that record it are gone", async () => {
  const opened = await testDatabase("postgres 18").open()
  const gate = createGate()
  let tellRefused: (fields: LogFields) => void = () => {}
  const refused = new Promise<LogFields>((resolve) => {
    tellRefused = resolve
  })
  const workflow = defineWorkflow({ name: "kept", version: "1.0.0" }).step("only", {
    handler: async () => {
      await gate.pass()
      return "precious"
    },
  })
  const warn = (fields: LogFields, message: string) => {
    if (message === "the schema of the database does not fit this worker") tellRefused(fields)
  }
  const tasker = await createTasker({ url: opened.url, logger: { ...silentLogger, warn }, workflows: [workflow] })
  try {
    const task = await tasker.createTask(workflow, {})
    await tasker.startWorker()
    await gate.reached()
    const [advance] = await opened.database.query<{ definition: string }>({
      text: "select pg_get_functiondef('tasker.advance'::regproc) as definition",
    })
    await opened.database.script("drop function tasker.advance")
    gate.open()
    // It tried the outcome alone, and was refused once more.
    const line = await refused
    await opened.database.script(advance?.definition ?? "")
    expect(line).toMatchObject({ hint: "update this process to the version that migrated the database" })
    expect((await tasker.waitForTask(task, { timeoutMs: 10_000 })).results.only).toBe("precious")
    expect(await tasker.verify()).toEqual([])
  } finally {
    await tasker.close({ timeoutMs: 100 })
    await opened.close()
  }
})
