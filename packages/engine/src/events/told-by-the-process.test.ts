import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { defineWorkflow } from "../core/define-workflow.ts"
import type { EventName, EventPayloads, TaskerEvent } from "../core/events/event-map.ts"
import type { Exporter } from "../core/exporter.ts"
import type { AnyWorkflow } from "../core/workflow.ts"
import { silentLogger } from "../core/logger.ts"
import { testDatabases } from "../database/test-database.ts"
import { defineSubscriber } from "../registry/define-subscriber.ts"
import { collectExamples, type Occurrences } from "./test-examples.ts"
import { createTasker, type Tasker, type TaskerOptions } from "../tasker.ts"

/** Where a test keeps its files; and the list of migrations grows. */
const REPLACED = {
  folder: "/app/subscribers",
  file: "/app/subscribers/bad.mjs",
  migrations: ["000001_create_definitions"],
  message: "Unexpected end of input",
}

const examples = collectExamples()

describe.each(testDatabases())("what a process tells of itself on $kind", ({ kind, open }) => {
  let opened: Awaited<ReturnType<typeof open>>
  const taskers: Tasker[] = []

  beforeAll(async () => {
    opened = await open()
  })
  afterEach(async () => {
    await Promise.all(taskers.splice(0).map((tasker) => tasker.close()))
  })
  afterAll(async () => await opened.close())

  /** A Tasker, and all that it told from its first moment. */
  async function start(options: TaskerOptions = {}) {
    const events: TaskerEvent[] = []
    const recorder = defineSubscriber({
      name: "recorder",
      immediate: true,
      on: { "*": (event) => void events.push(event) },
    })
    const tasker = await createTasker({
      url: opened.url,
      logger: silentLogger,
      ...options,
      subscribers: [recorder, ...(options.subscribers ?? [])],
    })
    taskers.push(tasker)
    const told = <Name extends EventName>(name: Name): readonly EventPayloads[Name][] =>
      // The name tells what the payload is.
      events.filter((event) => event.name === name).map((event) => event.payload) as unknown as EventPayloads[Name][]
    /** Checks that each of these was told as often as it happened; the first of each name is the one that the docs show. */
    const show = (occurrences: Occurrences) =>
      examples.keep(events, occurrences, { replaced: REPLACED, isKept: kind === "postgres 18" })
    return { tasker, events, told, show }
  }

  it("it connects, migrates what is not migrated, and closes", async () => {
    const { tasker, events, told, show } = await start()
    const database = { kind: tasker.databaseUrl.startsWith("pglite") ? "pglite" : "postgres", url: tasker.databaseUrl }
    expect(told("database.connected")).toEqual([database])
    expect(told("database.migrated")).toEqual([
      { ...database, migrations: expect.any(Array), durationMs: expect.any(Number) },
    ])
    expect(told("database.migrated")[0]?.migrations[0]).toBe("000001_create_definitions")
    await tasker.close()
    expect(told("database.closed")).toEqual([database])
    expect(events.at(-1)?.name).toBe("database.closed")
    // PGlite forgets what it had in memory.
    if (kind !== "pglite") expect((await start()).told("database.migrated")).toEqual([])
    show({ "database.connected": 1, "database.migrated": 1, "database.closed": 1 })
  })

  // In PGlite nobody else is there to have stored it.
  it.skipIf(kind === "pglite")("a workflow is told when it is stored, and when it takes another's place", async () => {
    const one = defineWorkflow({ name: "stored", version: "1.0.0", namespace: "shop" }).step("one", {
      handler: () => 1,
    })
    const two = defineWorkflow({ name: "stored", version: "1.0.0", namespace: "shop" }).step("two", {
      handler: () => 1,
    })
    const facts = { namespace: "shop", workflow: "stored", version: "1.0.0", stepCount: 1 }
    const first = await start({ workflows: [one] })
    expect(first.told("workflow.registered")).toEqual([facts])
    const second = await start({ workflows: [one] })
    expect(second.told("workflow.registered")).toEqual([])
    const third = await start({ workflows: [two], replaceWorkflows: true })
    expect(third.told("workflow.registered")).toEqual([])
    expect(third.told("workflow.replaced")).toEqual([facts])
    first.show({ "workflow.registered": 1 })
    third.show({ "workflow.replaced": 1 })
    expect([...first.told("workflow.replaced"), ...second.told("workflow.replaced")]).toEqual([])
  })

  it.skipIf(kind === "pglite")("of processes that start at once, one tells that it stored a workflow", async () => {
    const workflow = defineWorkflow({ name: "crowded", version: "1.0.0" }).step("one", { handler: () => 1 })
    const started = await Promise.all(Array.from({ length: 4 }, () => start({ workflows: [workflow], poolSize: 3 })))
    expect(started.flatMap(({ told }) => told("workflow.registered"))).toHaveLength(1)
  })

  it("a workflow that is new is told as registered, once", async () => {
    const workflow = defineWorkflow({ name: "fresh", version: "1.0.0" }).step("one", { handler: () => 1 })
    const { told } = await start({ workflows: [workflow] })
    expect(told("workflow.registered")).toHaveLength(1)
    expect(told("handler.registered")).toMatchObject([{ key: "default/fresh@1.0.0", correlationId: null }])
  })

  it.skipIf(kind === "pglite")("the listener's connection is lost, and comes back", async () => {
    const { tasker, told, show } = await start()
    const restored = new Promise<void>(
      (resolve) => void tasker.events.on("database.listener_restored", () => resolve()),
    )
    await opened.database.query({
      text: "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and query ~ '^(un)?listen'",
    })
    await restored
    expect(told("database.listener_restored")).toHaveLength(1)
    show({ "database.listener_restored": 1 })
  })

  it("handlers come, are replaced, go and are refused", async () => {
    const one = defineWorkflow({ name: "listed", version: "1.0.0" }).step("one", { handler: () => 1 })
    const two = defineWorkflow({ name: "listed", version: "1.0.0" }).step("two", { handler: () => 1 })
    const { tasker, told, show } = await start({ workflows: [one] })
    await tasker.registerWorkflow(two, { replace: true, correlationId: "c_1" })
    const refused = tasker.registerWorkflow({ name: "none" } as AnyWorkflow, { correlationId: "c_2" })
    await expect(refused).rejects.toThrow("workflow")
    tasker.unregisterWorkflow({ namespace: "default", name: "listed", version: "1.0.0" }, { correlationId: "c_3" })
    expect(told("handler.replaced")).toMatchObject([{ key: "default/listed@1.0.0", correlationId: "c_1" }])
    expect(told("handler.validation_failed")).toMatchObject([{ correlationId: "c_2" }])
    expect(told("handler.unregistered")).toMatchObject([{ key: "default/listed@1.0.0", correlationId: "c_3" }])
    show({ "handler.registered": 1, "handler.replaced": 1, "handler.unregistered": 1, "handler.validation_failed": 1 })
  })

  it("plugins come, are replaced, go and are refused", async () => {
    const { tasker, told, show } = await start()
    const plugin: Exporter = {
      name: "silent",
      formats: ["none"],
      async *export() {
        yield ""
      },
    }
    tasker.plugins.register(plugin, { correlationId: "c_1" })
    tasker.plugins.register({ ...plugin }, { replace: true })
    // As without a compiler.
    expect(() => tasker.plugins.register({ name: "broken" } as unknown as Exporter)).toThrow("broken")
    tasker.plugins.unregister("silent")
    expect(told("plugin.registered")).toMatchObject([{ key: "silent", correlationId: "c_1" }])
    expect(told("plugin.replaced")).toMatchObject([{ key: "silent" }])
    expect(told("plugin.validation_failed")).toHaveLength(1)
    expect(told("plugin.unregistered")).toMatchObject([{ key: "silent" }])
    show({
      "plugin.registered": 1,
      "plugin.replaced": 1,
      "plugin.unregistered": 1,
      "plugin.validation_failed": 1,
    })
  })

  it("subscribers come, are replaced, go and are refused", async () => {
    const { tasker, told, show } = await start()
    const subscriber = { name: "mine", on: { "step.*": () => {} } }
    tasker.subscribers.register(subscriber)
    tasker.subscribers.register({ ...subscriber }, { replace: true })
    // As without a compiler.
    expect(() => tasker.subscribers.register({ name: "broken" } as unknown as typeof subscriber)).toThrow("broken")
    tasker.subscribers.unregister("mine")
    expect(told("subscriber.registered")).toMatchObject([{ key: "recorder" }, { key: "mine" }])
    expect(told("subscriber.replaced")).toMatchObject([{ key: "mine" }])
    expect(told("subscriber.validation_failed")).toHaveLength(1)
    expect(told("subscriber.unregistered")).toMatchObject([{ key: "mine" }])
    show({
      "subscriber.registered": 2,
      "subscriber.replaced": 1,
      "subscriber.unregistered": 1,
      "subscriber.validation_failed": 1,
    })
  })

  it("folders that are searched, with failures and without", async () => {
    const folder = mkdtempSync(join(tmpdir(), "tasker-told-"))
    try {
      writeFileSync(join(folder, "good.mjs"), `export const one = { name: "found", on: { "task.*": () => {} } }`)
      const { tasker, told, show } = await start()
      await tasker.subscribers.discover(folder)
      writeFileSync(join(folder, "bad.mjs"), `export const broken = {`)
      await tasker.subscribers.discover(folder)
      expect(told("registry.discovery_completed")).toMatchObject([
        { folder, kind: "subscriber", registered: ["found"] },
      ])
      expect(told("registry.discovery_failed")).toMatchObject([{ folder, failures: [{ file: expect.any(String) }] }])
      show({ "registry.discovery_completed": 1, "registry.discovery_failed": 1 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

it("the docs show these events", async () => {
  await examples.compare("process")
})
