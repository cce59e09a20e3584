import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { defineWorkflow } from "./core/define-workflow.ts"
import { testDatabases } from "./database/test-database.ts"
import { migrate } from "./store/migrate.ts"
import { createTasker, type Tasker, type TaskerOptions } from "./tasker.ts"
import { createGate, runTask } from "./testing.ts"

/** Of the test that runs: an open gate stays open. */
let gate = createGate()
// The same name and version, whatever the step is called.
const parcel = () => defineWorkflow({ name: "parcel", version: "1.0.0" })
const hold = parcel().step("hold", { handler: async ({ signal }) => await gate.pass(signal) })
const pack = parcel().step("pack", { handler: () => "packed" })
const send = parcel().step("send", { handler: () => "sent" })

describe.each(testDatabases(migrate))("a workflow that comes later, on $kind", ({ open }) => {
  let opened: Awaited<ReturnType<typeof open>>
  let taskers: Tasker[] = []

  beforeAll(async () => {
    opened = await open()
  })
  afterEach(async () => {
    await Promise.all(taskers.map((tasker) => tasker.close({ timeoutMs: 0 })))
    taskers = []
    await opened.database.script("truncate tasker.workflows, tasker.tasks, tasker.transitions, tasker.workers cascade")
  })
  afterAll(async () => await opened.close())

  async function start(options: TaskerOptions = {}): Promise<Tasker> {
    const tasker = await createTasker({ url: opened.url, ...options })
    taskers.push(tasker)
    return tasker
  }

  it("is created from then on, and run by workers that start from then on, until it is taken out", async () => {
    const tasker = await start()
    await expect(tasker.createTask(pack, null)).rejects.toMatchObject({ code: "TASKER_WORKFLOW_NOT_FOUND" })
    await tasker.startWorker()
    await tasker.registerWorkflow(pack)
    const task = await tasker.createTask(pack, null)
    expect(tasker.workflows.list().map(({ workflow }) => workflow.name)).toEqual(["parcel"])
    await tasker.startWorker()
    await expect(tasker.waitForTask(task)).resolves.toMatchObject({ results: { pack: "packed" } })

    const byNobodysCompiler = (): boolean => tasker.unregisterWorkflow("parcel" as unknown as typeof pack)
    expect(byNobodysCompiler).toThrow('expected the id of a workflow, got "parcel"')
    expect([tasker.unregisterWorkflow(pack), tasker.unregisterWorkflow(pack)]).toEqual([true, false])
    await expect(tasker.createTask(pack, null)).rejects.toMatchObject({
      code: "TASKER_WORKFLOW_NOT_FOUND",
      message: "this process has no workflow default.parcel@1.0.0",
    })
    await expect(tasker.getTask(task)).resolves.toMatchObject({ state: "complete" })
  })

  it("takes another's place once no task of that is live, and nothing has changed before", async () => {
    gate = createGate()
    const tasker = await start({ workflows: [hold] })
    const worker = await tasker.startWorker()
    const task = await tasker.createTask(hold, null)
    await gate.reached()
    await expect(tasker.registerWorkflow(pack)).rejects.toMatchObject({ code: "TASKER_WORKFLOW_CHANGED" })
    await expect(tasker.registerWorkflow(pack, { replace: true })).rejects.toMatchObject({
      code: "TASKER_WORKFLOW_IN_USE",
    })
    expect(tasker.workflows.get("default", "parcel").workflow).toBe(hold)
    gate.open()
    await tasker.waitForTask(task)
    await worker.stop()

    await tasker.registerWorkflow(pack, { replace: true })
    expect(tasker.workflows.get("default", "parcel").workflow).toBe(pack)
    await tasker.startWorker()
    expect(await runTask(tasker, pack, null)).toMatchObject({ state: "complete", results: { pack: "packed" } })
  })

  it("that the database knows otherwise is in no registry", async () => {
    const tasker = await start({ workflows: [pack] })
    // The database keeps it.
    tasker.unregisterWorkflow(pack)
    await expect(tasker.registerWorkflow(send)).rejects.toMatchObject({ code: "TASKER_WORKFLOW_CHANGED" })
    expect(tasker.workflows.list()).toEqual([])
    await tasker.registerWorkflow(send, { replace: true })
    expect(tasker.workflows.list()).toMatchObject([{ workflow: send }])
  })

  it("comes to no Tasker that is closed", async () => {
    const tasker = await start()
    await tasker.close()
    await expect(tasker.registerWorkflow(pack)).rejects.toMatchObject({ code: "TASKER_CLOSED" })
  })
})
