import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterEach, describe, expect, test, vi } from "vitest"
import { defineWorkflow } from "./core/define-workflow.ts"
import type { TaskerEvent } from "./core/events/event-map.ts"
import type { Exporter } from "./core/exporter.ts"
import { BUILT_IN_EXPORTERS } from "./core/exporters/built-in-exporters.ts"
import { testLogger } from "./database/test-logger.ts"
import { defineSubscriber } from "./registry/define-subscriber.ts"
import { createTasker, type Tasker, type TaskerOptions } from "./tasker.ts"

const echo = defineWorkflow<{ readonly text: string }>({ name: "echo", version: "1.0.0" }).step("say", {
  handler: ({ input }) => input.text,
})

const csv: Exporter = { name: "acme/csv", formats: ["ACSV"], async *export() {} }

const taskers: Tasker[] = []
const folders: string[] = []

afterEach(async () => {
  await Promise.all(taskers.splice(0).map((tasker) => tasker.close()))
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

async function open(options: TaskerOptions = {}) {
  const logger = testLogger()
  const tasker = await createTasker({ url: "pglite:memory", logger, ...options })
  taskers.push(tasker)
  return { tasker, lines: () => logger.lines.filter((line) => line.includes(" registry: ")) }
}

/** A subscriber that keeps the names of what it is told. */
function recorder(name: string, ...patterns: readonly string[]) {
  const events: TaskerEvent[] = []
  const handle = (event: TaskerEvent): void => void events.push(event)
  const on = Object.fromEntries(patterns.map((pattern) => [pattern, handle]))
  return { subscriber: defineSubscriber({ name, on }), events, told: () => events.map((event) => event.name) }
}

function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "tasker-roof-"))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

describe("tasker.subscribers", () => {
  test("tells one that is registered until it is unregistered", async () => {
    const { tasker } = await open()
    const { subscriber, told } = recorder("plugins", "plugin.*")
    tasker.plugins.register(csv)
    tasker.subscribers.register(subscriber)
    tasker.plugins.unregister("acme/csv")
    tasker.plugins.register(csv)
    await vi.waitFor(() => expect(told()).toEqual(["plugin.unregistered", "plugin.registered"]), 10_000)
    tasker.subscribers.unregister("plugins")
    const witness = recorder("witness", "plugin.*")
    tasker.subscribers.register(witness.subscriber)
    tasker.plugins.unregister("acme/csv")
    await vi.waitFor(() => expect(witness.told()).toEqual(["plugin.unregistered"]), 10_000)
    expect(told()).toHaveLength(2)
  })

  test("one that takes another's place is told instead of it", async () => {
    const { tasker } = await open()
    const [one, other] = [recorder("log", "plugin.*"), recorder("log", "plugin.*")]
    tasker.subscribers.register(one.subscriber)
    tasker.subscribers.register(other.subscriber, { replace: true })
    tasker.plugins.register(csv)
    await vi.waitFor(() => expect([one.told(), other.told()]).toEqual([[], ["plugin.registered"]]), 10_000)
  })

  test("those of the options are told of the start itself", async () => {
    const { subscriber, events, told } = recorder("all", "handler.*", "plugin.*", "subscriber.*")
    const second = recorder("second", "order.shipped")
    await open({ workflows: [echo], plugins: [csv], subscribers: [subscriber, second.subscriber] })
    expect(told()).toEqual([
      "subscriber.registered",
      "subscriber.registered",
      "plugin.registered",
      "handler.registered",
    ])
    expect(events.map(({ payload }) => payload)).toEqual([
      { key: "all", source: null, correlationId: null },
      { key: "second", source: null, correlationId: null },
      { key: "acme/csv", source: null, correlationId: null },
      { key: "default/echo@1.0.0", source: null, correlationId: null },
    ])
  })
})

describe("every operation on a registry", () => {
  test("is one event and one line of the log, with the correlation id", async () => {
    const { subscriber, events, told } = recorder("all", "plugin.*", "subscriber.*", "registry.*")
    const opened = await open({ subscribers: [subscriber] })
    const { tasker } = opened
    const lines = () => opened.lines().slice(BUILT_IN_EXPORTERS.length)
    const folder = folderOf({ "bad.mjs": `export const half = { name: "half", formats: ["half"] }` })
    const empty = folderOf({})
    const correlationId = "c-1"
    tasker.plugins.register(csv, { correlationId })
    tasker.plugins.register({ ...csv }, { correlationId, replace: true })
    expect(() => tasker.plugins.register({ ...csv }, { correlationId })).toThrow(/already registered/)
    tasker.plugins.unregister(csv.name, { correlationId })
    await tasker.plugins.discover(folder, { correlationId })
    await tasker.subscribers.discover(empty, { correlationId })

    const names = [
      "plugin.registered",
      "plugin.replaced",
      "plugin.validation_failed",
      "plugin.unregistered",
      "plugin.validation_failed",
      "registry.discovery_failed",
      "registry.discovery_completed",
    ]
    await vi.waitFor(() => expect(told().slice(1)).toEqual(names), 10_000)
    expect(lines().map((line) => line.slice(0, line.indexOf(" {")))).toEqual([
      "info registry: subscriber registered",
      "info registry: plugin registered",
      "info registry: plugin replaced",
      "warn registry: plugin refused",
      "info registry: plugin unregistered",
      "warn registry: plugin refused",
      "warn registry: folder searched, with failures",
      "info registry: folder searched",
    ])
    expect(
      lines()
        .slice(1)
        .every((line) => line.includes(`"correlationId":"c-1"`)),
    ).toBe(true)
    const file = join(folder, "bad.mjs")
    expect(events.slice(3).map(({ payload }) => payload)).toEqual([
      {
        key: "acme/csv",
        source: null,
        code: "TASKER_NAME_TAKEN",
        problems: ['plugin "acme/csv" is already registered, for acsv'],
        correlationId,
      },
      { key: "acme/csv", source: null, correlationId },
      {
        key: "half",
        source: file,
        code: "TASKER_PLUGIN_INVALID",
        problems: ["export: expected export to be a function, got nothing"],
        correlationId,
      },
      {
        kind: "plugin",
        folder,
        registered: [],
        failures: [{ file, code: "TASKER_PLUGIN_INVALID", message: expect.stringContaining('"half" is no plugin') }],
        durationMs: expect.any(Number),
        correlationId,
      },
      {
        kind: "subscriber",
        folder: empty,
        registered: [],
        failures: [],
        durationMs: expect.any(Number),
        correlationId,
      },
    ])
  })
})

describe("discover", () => {
  const files = {
    "workflows/greet.yaml": `name: greet\nversion: 1.0.0\nsteps: [{ name: compose }, { name: send, depends_on: [compose] }]\nenvironments: { test: { max_attempts: 7 } }`,
    "workflows/greet.mjs": `export const compose = ({ input }) => "Hello " + input.name`,
    "workflows/broken.mjs": `throw new Error("no licence")`,
    "plugins/inner/lines.mjs": `export default { name: "lines", formats: ["lines"], async *export() {} }`,
    "subscribers/count.mjs": `export const seen = []; export const count = { name: "count", on: { "*": ({ name }) => void seen.push(name) } }`,
  }

  test("loads what the folders hold, and what it loaded works", async () => {
    const folder = folderOf(files)
    const { tasker, lines } = await open({
      discover: {
        workflows: join(folder, "workflows"),
        plugins: pathToFileURL(join(folder, "plugins")),
        subscribers: join(folder, "subscribers"),
        handlers: { send: ({ results }: { results: { compose: string } }) => `sent: ${results.compose}` },
        environment: "test",
        recursive: true,
      },
    })
    expect(tasker.plugins.getByFormat("lines").name).toBe("lines")
    expect(tasker.subscribers.list().map(({ name }) => name)).toEqual(["count"])
    const { workflow } = tasker.workflows.get("default", "greet")
    expect(workflow.steps[0]?.spec.maxAttempts).toBe(7)
    await tasker.startWorker()
    const task = await tasker.createTask(workflow, { name: "Ada" })
    expect(await tasker.waitForTask(task)).toMatchObject({ results: { send: "sent: Hello Ada" } })
    const { seen } = await import(pathToFileURL(join(folder, "subscribers/count.mjs")).href)
    await vi.waitFor(() => expect(seen).toContain("handler.registered"), 10_000)
    expect(lines().filter((line) => line.startsWith("warn"))).toEqual([expect.stringContaining("no licence")])
  })

  test("strict makes an error of a file that cannot be used", async () => {
    const workflows = join(folderOf(files), "workflows")
    await expect(open({ discover: { workflows, handlers: { send: () => 1 }, strict: true } })).rejects.toMatchObject({
      code: "TASKER_DISCOVERY_FAILED",
      message: expect.stringContaining(`broken.mjs" cannot be loaded: no licence`),
    })
  })

  test("refuses options that it does not know, or that are none", async () => {
    // What a JavaScript user may pass.
    const discover = { workflow: "workflows", plugins: 1, strict: "yes", replace: true } as unknown
    // As above.
    const bad = discover as NonNullable<TaskerOptions["discover"]>
    await expect(open({ discover: bad })).rejects.toMatchObject({
      code: "TASKER_CONFIG_INVALID",
      details: {
        problems: [
          { path: "workflow", hint: 'did you mean "workflows"?' },
          { path: "plugins" },
          { path: "strict" },
          { path: "replace" },
        ],
      },
    })
    const lists = { plugins: csv, subscribers: "all", discover: "plugins" } as unknown
    // As above.
    await expect(open(lists as TaskerOptions)).rejects.toMatchObject({
      code: "TASKER_CONFIG_INVALID",
      details: { problems: [{ path: "plugins" }, { path: "subscribers" }, { path: "discover" }] },
    })
  })
})
