import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { text } from "node:stream/consumers"
import { TransformStream } from "node:stream/web"
import { pino } from "pino"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { defineWorkflow } from "./core/define-workflow.ts"
import type { TaskerEvent } from "./core/events/event-map.ts"
import { silentLogger } from "./core/logger.ts"
import { readLines } from "./logging/test-lines.ts"
import { createTasker, type Tasker, type TaskerOptions } from "./tasker.ts"

const echo = defineWorkflow<{ readonly text: string }>({ namespace: "shop", name: "echo", version: "1.0.0" }).step(
  "say",
  {
    handler: ({ input }) => input.text,
  },
)

/** What a user without TypeScript puts into a folder. */
const TSV_PLUGIN = `
  export const tsv = {
    name: "acme/tsv",
    version: "2.1.0",
    formats: ["TSV"],
    options: { upper: { rule: "true or false", accepts: (value) => typeof value === "boolean" } },
    told: [],
    async *export(records, { upper = false }, { fields }) {
      this.told.push(fields.length)
      for await (const { workflow, state } of records) yield [upper ? workflow.toUpperCase() : workflow, state].join("\\t") + "\\n"
    },
    onExportCompleted({ recordCount }) { this.told.push(recordCount) },
  }
  export const broken = { name: "acme/broken", formats: ["broken"], export() { throw new Error("boom") } }
`

describe("tasker.export", () => {
  let folder: string
  const taskers: Tasker[] = []

  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "tasker-export-"))))
  afterEach(async () => {
    await Promise.all(taskers.splice(0).map((tasker) => tasker.close()))
    rmSync(folder, { recursive: true })
  })

  async function open(options: TaskerOptions = {}): Promise<Tasker> {
    const tasker = await createTasker({ url: "pglite:memory", workflows: [echo], logger: silentLogger, ...options })
    taskers.push(tasker)
    return tasker
  }

  test("has the built-in formats from the start", async () => {
    const tasker = await open()
    expect(tasker.plugins.formats()).toEqual(["csv", "json", "jsonl", "ndjson", "prometheus"])
    const to = join(folder, "tasks.csv")
    await tasker.createTask(echo, { text: "hi" })
    const options = { columns: { workflow: "Workflow", state: "State" }, separator: ";" }
    expect(await tasker.export({ what: "tasks", format: "csv", to, options })).toMatchObject({ recordCount: 1 })
    expect(readFileSync(to, "utf8")).toBe("Workflow;State\r\necho;pending\r\n")
  })

  test("writes by a plugin from a user's folder, with its options and its callbacks", async () => {
    const plugins = join(folder, "plugins")
    const to = join(folder, "tasks.tsv")
    mkdirSync(plugins)
    writeFileSync(join(plugins, "acme.mjs"), TSV_PLUGIN)
    const tasker = await open({ discover: { plugins } })
    await tasker.createTask(echo, { text: "hi" })
    const summary = await tasker.export({ what: "tasks", format: "Tsv", to, options: { upper: true } })
    expect(summary).toMatchObject({ exporter: "acme/tsv", format: "tsv", recordCount: 1 })
    expect(readFileSync(to, "utf8")).toBe("ECHO\tpending\n")
    expect(Reflect.get(tasker.plugins.get("acme/tsv"), "told")).toEqual([17, 1])
    await expect(tasker.export({ what: "tasks", format: "tsv", to, options: { uper: true } })).rejects.toMatchObject({
      code: "TASKER_OPTION_INVALID",
      message: expect.stringContaining('did you mean "upper"?'),
    })
  })

  test("a plugin from a folder that throws is reported, and the process goes on", async () => {
    writeFileSync(join(folder, "acme.mjs"), TSV_PLUGIN)
    const events: TaskerEvent[] = []
    const tasker = await open({ discover: { plugins: folder } })
    tasker.events.on("tasker.telemetry.*", (event) => void events.push(event))
    const to = join(folder, "out")
    const [broken, whole] = await Promise.allSettled([
      tasker.export({ what: "tasks", format: "broken", to }),
      tasker.export({ what: "tasks", format: "json", to: join(folder, "whole.json") }),
    ])
    expect(broken).toMatchObject({ status: "rejected", reason: { code: "TASKER_EXPORT_FAILED" } })
    expect(whole).toMatchObject({ status: "fulfilled" })
    expect(readdirSync(folder).toSorted()).toEqual(["acme.mjs", "whole.json"])
    await expect
      .poll(() => events.map(({ name }) => name).toSorted())
      .toEqual([
        "tasker.telemetry.export_completed",
        "tasker.telemetry.export_failed",
        "tasker.telemetry.export_requested",
        "tasker.telemetry.export_requested",
      ])
  })

  test("the reason of what fails reaches the user's own pino, which knows no error under `error`", async () => {
    const stream = new PassThrough()
    const boom = (): never => {
      throw Object.assign(new TypeError("boom, token=abc"), { code: "E_BOOM" })
    }
    const failing = { name: "failing", formats: ["failing"], export: boom, onExportRequested: boom }
    const tasker = await open({ plugins: [failing], logger: pino({ level: "warn" }, stream) })
    const exported = tasker.export({ what: "tasks", format: "failing", to: join(folder, "out") })
    await expect(exported).rejects.toMatchObject({ code: "TASKER_EXPORT_FAILED" })
    await tasker.close()
    const lines = readLines(String(stream.read())).map(({ msg, error }) => [msg, error])
    const thrown = { name: "TypeError", code: "E_BOOM", message: "boom, token=[REDACTED]" }
    expect(lines).toContainEqual(["a callback of an exporter threw", thrown])
    const message = 'exporter "failing" threw while it wrote tasks: boom, token=[REDACTED]'
    const failure = { name: "TaskerError", code: "TASKER_EXPORT_FAILED", message }
    expect(lines).toContainEqual(["an export ended before it was whole", failure])
  })

  test("hides what the options of the Tasker call secret", async () => {
    const tasker = await open({ redact: { keys: ["note"] } })
    await tasker.createTask(echo, { text: "hi" }, { attributes: { note: "n", other: "o" } })
    const to = join(folder, "out.json")
    await tasker.export({ what: "tasks", format: "json", to, options: { fields: ["attributes"] } })
    expect(JSON.parse(readFileSync(to, "utf8"))).toEqual([{ attributes: { note: "[REDACTED]", other: "o" } }])
  })

  test("hides columns of its own that the options of the Tasker call secret", async () => {
    const keys = ["initiator", "correlationId", "by", "input", "to"]
    const tasker = await open({ redact: { keys, mask: "***" } })
    const told = { initiator: "ann", correlationId: "c-1", sourceSystem: "password=hunter2" }
    const { taskId } = await tasker.createTask(echo, { text: "hi" }, told)
    await tasker.cancelTask(taskId, { by: "zoe", reason: "by=zoe" })
    const exported = async (what: "tasks" | "history", more: object = {}): Promise<unknown> => {
      const to = join(folder, "out.json")
      await tasker.export({ what, format: "json", to, ...more })
      return JSON.parse(readFileSync(to, "utf8"))
    }
    expect(await exported("tasks", { include: ["input"] })).toMatchObject([
      {
        taskId,
        initiator: "***",
        correlationId: "***",
        sourceSystem: "password=***",
        state: "cancelled",
        input: "***",
      },
    ])
    const history = await exported("history")
    expect(history).toContainEqual(expect.objectContaining({ taskId, by: "***", to: "***", reason: "by=***" }))
    expect(JSON.stringify(history)).not.toContain("zoe")
  })

  test("writes inputs whole, however deep and however many values they hold", async () => {
    const tasker = await open()
    let deep: unknown = { password: "hunter2" }
    for (let level = 0; level < 97; level++) deep = [deep]
    const many = Array.from({ length: 100_001 }, () => 1)
    // Its input has no schema.
    await tasker.createTask(echo, { text: "hi", deep, many } as { text: string })
    const to = join(folder, "out.json")
    await tasker.export({ what: "tasks", format: "json", to, include: ["input"], options: { fields: ["input"] } })
    const written = JSON.stringify({ text: "hi", deep, many }).replace("hunter2", "[REDACTED]")
    expect(JSON.parse(readFileSync(to, "utf8"))).toEqual([{ input: JSON.parse(written) as unknown }])
  })

  test("writes to what a web handler returns", async () => {
    const tasker = await open()
    await tasker.createTask(echo, { text: "hi" })
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const [written, summary] = await Promise.all([
      text(readable),
      tasker.export({ what: "history", format: "jsonl", to: writable, options: { fields: ["to"] } }),
    ])
    expect(written).toBe('{"to":"pending"}\n')
    expect(summary.bytes).toBe(written.length)
  })

  test("ends with the Tasker, and leaves nothing", async () => {
    const tasker = await open({
      plugins: [
        {
          name: "slow",
          formats: ["slow"],
          async *export() {
            yield "begun"
            await new Promise(() => {})
          },
        },
      ],
    })
    const running = tasker.export({ what: "tasks", format: "slow", to: join(folder, "out") })
    const ended = expect(running).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    await tasker.close()
    await ended
    await expect(tasker.export({ what: "tasks", format: "csv", to: join(folder, "out") })).rejects.toMatchObject({
      code: "TASKER_CLOSED",
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test("the compiler knows the options of each format", () => {
    const never = async (tasker: Tasker): Promise<void> => {
      const to = "x"
      await tasker.export({ what: "tasks", format: "csv", to, options: { separator: ";" }, include: ["input"] })
      await tasker.export({ what: "steps", format: "JSON", to, options: { pretty: true }, state: "skipped" })
      await tasker.export({ what: "history", format: "ids", to, options: { whatever: 1 } })
      // @ts-expect-error -- it is an option of csv
      await tasker.export({ what: "tasks", format: "json", to, options: { separator: ";" } })
      // @ts-expect-error -- tasks have no result
      await tasker.export({ what: "tasks", format: "json", to, include: ["result"] })
      // @ts-expect-error -- metrics need a source
      await tasker.export({ what: "metrics", format: "prometheus", to })
      // @ts-expect-error -- history has no state
      await tasker.export({ what: "history", format: "csv", to, state: "error" })
    }
    expect(never).toBeTypeOf("function")
  })
})
