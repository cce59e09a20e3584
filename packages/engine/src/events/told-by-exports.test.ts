import { PassThrough } from "node:stream"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Exporter } from "../core/exporter.ts"
import { defineWorkflow } from "../core/define-workflow.ts"
import { silentLogger } from "../core/logger.ts"
import { createTasker, type Tasker } from "../tasker.ts"
import { collectExamples } from "./test-examples.ts"
import { type EventRecorder, recordEvents } from "./test-recorder.ts"

const examples = collectExamples()
const order = defineWorkflow({ namespace: "shop", name: "order", version: "1.0.0" }).step("charge", {
  handler: () => 1,
})

const broken: Exporter = {
  name: "acme/broken",
  formats: ["xlsx"],
  async *export() {
    yield "half"
    throw new Error("no sheet is left; password=hunter2hunter2")
  },
}

describe("what exports tell", () => {
  let tasker: Tasker
  let recorded: EventRecorder

  beforeAll(async () => {
    tasker = await createTasker({
      url: "pglite:memory",
      logger: silentLogger,
      workflows: [order],
      plugins: [broken],
    })
    await tasker.createTask(order, {})
    recorded = recordEvents(tasker)
  })
  afterAll(async () => await tasker.close())

  test("one that succeeds tells once that it begins, and once that it is whole", async () => {
    const summary = await tasker.export({ what: "tasks", format: "csv", to: new PassThrough().resume() })
    const requested = await recorded.once("tasker.telemetry.export_requested")
    const completed = await recorded.once("tasker.telemetry.export_completed")
    const { exportId } = summary
    expect(requested.payload).toEqual({ exportId, format: "csv", exporter: "csv", what: "tasks" })
    expect(completed.payload).toEqual({ ...requested.payload, ...summary })
    expect(recorded.names()).toEqual([requested.name, completed.name])
    examples.keep(recorded.all, { [requested.name]: 1, [completed.name]: 1 })
  })

  test("one that fails tells once that it begins, and once why it failed, without secrets", async () => {
    recorded.clear()
    const to = new PassThrough().resume().on("error", () => {})
    await expect(tasker.export({ what: "tasks", format: "XLSX", to })).rejects.toThrow("no sheet is left")
    const requested = await recorded.once("tasker.telemetry.export_requested")
    const failed = await recorded.once("tasker.telemetry.export_failed")
    expect(failed.payload).toMatchObject({
      ...requested.payload,
      exporter: "acme/broken",
      format: "xlsx",
      error: {
        code: "TASKER_EXPORT_FAILED",
        message: expect.stringMatching(/no sheet is left; password=\[REDACTED\]$/),
      },
    })
    expect(recorded.names()).toEqual([requested.name, failed.name])
    examples.keep(recorded.all, { [failed.name]: 1 })
  })

  test("one that is refused tells nothing", async () => {
    recorded.clear()
    await expect(tasker.export({ what: "tasks", format: "cvs", to: "x" })).rejects.toThrow("cvs")
    await tasker.events.drained()
    expect(recorded.names()).toEqual([])
  })

  test("the docs show these events", async () => await examples.compare("exports"))
})
