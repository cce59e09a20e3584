import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { Database } from "../core/database.ts"
import { defineWorkflow } from "../core/define-workflow.ts"
import { createHints } from "../core/hints.ts"
import { type Logger, silentLogger } from "../core/logger.ts"
import { createRedactor } from "../core/redact.ts"
import { testDatabases } from "../database/test-database.ts"
import { migrate } from "../store/migrate.ts"
import { TestStore } from "../store/test-store.ts"
import { createTasker, type Tasker, type TaskerOptions } from "../tasker.ts"
import { createGate, runTask } from "../testing.ts"
import { CHANNEL } from "../worker/notifier.ts"
import { type Feed, Follower } from "./follow.ts"
import type { FeedEvent } from "./feed-reader.ts"

const single = defineWorkflow<{ readonly n: number }>({ name: "single", version: "1.0.0" }).step("only", {
  handler: ({ input }) => input.n,
})

describe.each(testDatabases(migrate))("events.follow on $kind", ({ kind, open }) => {
  let opened: Awaited<ReturnType<typeof open>>
  const taskers: Tasker[] = []
  /** For tests that do not close it. */
  let shared: Tasker

  beforeAll(async () => {
    opened = await open()
    shared = await createTasker({ url: opened.url, logger: silentLogger, workflows: [single], poolSize: 3 })
  })
  afterEach(async () => {
    await Promise.all(taskers.splice(0).map((tasker) => tasker.close({ timeoutMs: 100 })))
  })
  afterAll(async () => {
    await shared.close()
    await opened.close()
  })

  async function start(options: TaskerOptions = {}): Promise<Tasker> {
    const tasker = await createTasker({ url: opened.url, logger: silentLogger, workflows: [single], ...options })
    taskers.push(tasker)
    return tasker
  }

  /** The next events, in short. */
  async function next(feed: Feed, count: number): Promise<readonly string[]> {
    const names: string[] = []
    while (names.length < count) {
      const { value } = await feed.next()
      if (value === undefined) break
      names.push("step" in value.payload ? `${value.name} ${value.payload.step}` : value.name)
    }
    return names
  }

  const LIFE = [
    "task.initialize_requested",
    "task.start_requested",
    "step.execution_requested only",
    "step.completed only",
    "task.completed",
  ]

  it("gives what this process does", async () => {
    const tasker = await start()
    const feed = tasker.events.follow({ pollMs: 60_000 })
    await feed.start()
    await tasker.startWorker()
    await runTask(tasker, single, { n: 1 })
    expect(await next(feed, 5)).toEqual(LIFE)
  })

  it("gives what people and handlers wrote without its secrets, as subscribers are told it", async () => {
    const failing = defineWorkflow({ name: "failing", version: "1.0.0" }).step("only", {
      maxAttempts: 1,
      handler: () => {
        throw new Error("iban: DE00")
      },
    })
    const wary = await start({ workflows: [failing], redact: { keys: ["iban"] } })
    const feed = wary.events.follow({ events: ["task.cancelled", "step.failed"] })
    await feed.start()
    // Another process, which hides less, writes history. A file of PGlite has only one.
    const careless = kind === "pglite" ? wary : await start({ workflows: [failing] })
    const cancelled = await careless.createTask(failing, null)
    await careless.cancelTask(cancelled, { by: "password=hunter2", reason: "iban: DE00" })
    expect((await feed.next()).value?.payload).toMatchObject({
      by: "password=[REDACTED]",
      reason: "iban: [REDACTED]",
    })
    await careless.startWorker()
    await careless.createTask(failing, null)
    expect((await feed.next()).value?.payload).toMatchObject({ error: { message: "iban: [REDACTED]" } })
    await feed.return()
  })

  it("goes on behind the cursor of an event, after a restart too", async () => {
    const first = await start()
    const feed = first.events.follow({ events: ["task.*"] })
    await feed.start()
    await first.startWorker()
    await runTask(first, single, { n: 1 })
    const { value: begun } = await feed.next()
    expect(begun?.name).toBe("task.initialize_requested")
    if (kind !== "pglite") await first.close()
    const second = kind === "pglite" ? first : await start()
    const rest = second.events.follow({ after: begun!.cursor })
    expect(await next(rest, 4)).toEqual(LIFE.slice(1))
  })

  it("from the beginning, gives only what was asked for", async () => {
    const tasker = await start()
    await tasker.startWorker()
    const { taskId } = await runTask(tasker, single, { n: 1 })
    const feed = tasker.events.follow({
      after: "beginning",
      taskId: taskId.toUpperCase(),
      events: ["step.*", "task.completed"],
    })
    expect(await next(feed, 3)).toEqual(["step.execution_requested only", "step.completed only", "task.completed"])
    const none = tasker.events.follow({ after: "beginning", namespace: "elsewhere", signal: AbortSignal.timeout(200) })
    expect(await next(none, 1)).toEqual([])
  })

  it.skipIf(kind === "pglite")(
    "is woken by every change that another process makes, however rarely it polls",
    async () => {
      const gate = createGate()
      const slow = defineWorkflow<{ readonly n: number }>({ name: "slow", version: "1.0.0" })
        .step("one", { handler: () => 1 })
        .step("two", { dependsOn: ["one"], handler: () => gate.pass() })
      const here = await start()
      const there = await start({ workflows: [slow] })
      const said = createGate()
      const onNotify = (payload: string) => void (payload.includes("followed") && said.open())
      const stop = await opened.database.listen(CHANNEL, onNotify, () => {})
      const feed = here.events.follow({ pollMs: 60_000, workflow: "slow" })
      await feed.start()
      // It has said that it follows; and once a later notification is there, the other process has heard so.
      await said.pass()
      await stop()
      expect(await there.health.ready({ timeoutMs: 20_000 })).toMatchObject({ checks: { listener: { status: "ok" } } })
      await there.startWorker()
      const task = await there.createTask(slow, { n: 1 })
      // While the task is under way, and nobody is told that steps are ready or tasks have ended.
      expect(await next(feed, 5)).toEqual([
        "task.initialize_requested",
        "task.start_requested",
        "step.execution_requested one",
        "step.completed one",
        "step.execution_requested two",
      ])
      await there.pauseTask(task)
      expect(await next(feed, 1)).toEqual(["task.paused"])
      gate.open()
      expect(await next(feed, 2)).toEqual(["step.completed two", "task.completed"])
    },
  )

  it.skipIf(kind === "pglite")("needs no notification: it polls", async () => {
    const here = await start({ notifications: false })
    const there = await start({ notifications: false })
    const feed = here.events.follow({ pollMs: 10 })
    await feed.start()
    await there.createTask(single, { n: 1 })
    expect(await next(feed, 1)).toEqual(["task.initialize_requested"])
  })

  it("a slow reader holds no connection, and lets no more be read", async () => {
    const tasker = shared
    const after = await tasker.events.follow({ signal: AbortSignal.timeout(10_000) }).start()
    await tasker.createTasks(
      single,
      Array.from({ length: 1_500 }, () => ({ input: { n: 1 } })),
    )
    let reads = 0
    const stop = tasker.onDatabaseCall(({ operation }) => {
      if (operation === "read_feed") reads++
    })
    const feeds = Array.from({ length: 5 }, () => tasker.events.follow({ after, pollMs: 10 }))
    for (const feed of feeds) expect(await next(feed, 1)).toHaveLength(1)
    await Promise.all(Array.from({ length: 20 }, () => tasker.listTasks({ limit: 1 })))
    expect(reads).toBe(5)
    expect(await next(feeds[0]!, 1_499)).toHaveLength(1_499)
    expect(reads).toBe(6)
    stop()
    await Promise.all(feeds.map((feed) => feed.return()))
  })

  describe("ends", () => {
    it.each<[string, (feed: Feed, aborting: AbortController, tasker: Tasker) => unknown]>([
      ["by return()", (feed) => feed.return()],
      ["by its signal", (_feed, aborting) => aborting.abort()],
      ["with the Tasker", (_feed, _aborting, tasker) => tasker.close()],
    ])("%s, while it waits and for good", async (how, end) => {
      const tasker = how === "with the Tasker" ? await start() : shared
      const aborting = new AbortController()
      const feed = tasker.events.follow({ signal: aborting.signal, pollMs: 60_000 })
      await feed.start()
      const waiting = feed.next()
      await end(feed, aborting, tasker)
      expect(await waiting).toEqual({ done: true, value: undefined })
      expect(await feed.next()).toEqual({ done: true, value: undefined })
    })

    it("in the midst of a batch", async () => {
      const tasker = shared
      await tasker.createTasks(single, [{ input: { n: 1 } }, { input: { n: 2 } }])
      const aborting = new AbortController()
      const feed = tasker.events.follow({ after: "beginning", signal: aborting.signal })
      expect(await next(feed, 1)).toHaveLength(1)
      aborting.abort()
      expect(await feed.next()).toEqual({ done: true, value: undefined })
    })

    it("with the loop that reads it", async () => {
      const tasker = shared
      await tasker.createTask(single, { n: 1 })
      const feed = tasker.events.follow({ after: "beginning" })
      for await (const { name } of feed) if (name.startsWith("task")) break
      expect(await feed.next()).toEqual({ done: true, value: undefined })
    })

    it("before it began, when its signal was aborted before", async () => {
      const tasker = shared
      const feed = tasker.events.follow({ after: "beginning", signal: AbortSignal.abort() })
      expect(await feed.next()).toEqual({ done: true, value: undefined })
      await expect(feed.start()).rejects.toMatchObject({ code: "TASKER_CLOSED" })
    })

    it("and does not begin once the Tasker is closed", async () => {
      const tasker = await start()
      await tasker.close()
      expect(() => tasker.events.follow()).toThrow(expect.objectContaining({ code: "TASKER_CLOSED" }))
    })
  })

  it("refuses what is no cursor at once, and one of another database when it is read", async () => {
    const { events } = shared
    expect(() => events.follow({ after: "yesterday" })).toThrow(
      expect.objectContaining({ code: "TASKER_CURSOR_INVALID" }),
    )
    const feed = events.follow({ after: "1.zzzzzz" })
    await expect(feed.next()).rejects.toMatchObject({ code: "TASKER_CURSOR_INVALID" })
    expect(await feed.next()).toEqual({ done: true, value: undefined })
  })

  it.each([
    [{ after: 5 }],
    [{ events: "step.*" }],
    [{ events: ["Step"] }],
    [{ events: ["step.complete"] }],
    [{ taskId: "1" }],
    [{ namespace: "A" }],
    [{ workflow: "" }],
    [{ signal: {} }],
    [{ pollMs: 9 }],
    [{ pollms: 100 }],
  ])("refuses %j", (options) => {
    // What the types refuse.
    const follow = () => shared.events.follow(options as never)
    expect(follow).toThrow(expect.objectContaining({ code: "TASKER_OPTION_INVALID" }))
  })

  describe("while the database is away", () => {
    /** A database that is away as often as it was told, and the log. */
    function away(times: number, error: () => Error) {
      const lines: string[] = []
      const write = (level: string) => (_fields: unknown, message: string) => void lines.push(`${level}: ${message}`)
      const logger: Logger = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") }
      let left = times
      const query: Database["query"] = async (statement) => {
        if (left-- > 0) throw error()
        return await opened.database.query(statement)
      }
      return {
        lines,
        rooms: {
          database: { ...opened.database, query },
          redact: createRedactor(),
          hints: createHints(),
          logger,
          announce: () => {},
        },
      }
    }

    it("waits, says so once, and goes on", async () => {
      const store = new TestStore(opened.database)
      await store.createTask(await store.define({ only: {} }))
      const { lines, rooms } = away(3, () => Object.assign(new Error("gone"), { code: "57P01" }))
      const feed = new Follower(rooms, { after: "beginning" }, () => {})
      expect((await feed.next()).value).toMatchObject({
        name: "task.initialize_requested",
      } satisfies Partial<FeedEvent>)
      expect(lines).toEqual(["warn: the database is away; it is asked until it is back", "info: the database is back"])
      await feed.return()
    })

    it("ends at once all the same", async () => {
      const { rooms } = away(1_000, () => Object.assign(new Error("gone"), { code: "57P01" }))
      const feed = new Follower(rooms, { after: "beginning" }, () => {})
      const waiting = feed.next()
      await feed.return()
      expect(await waiting).toEqual({ done: true, value: undefined })
    })

    it("fails with whatever else goes wrong", async () => {
      const { rooms } = away(1, () => Object.assign(new Error("no such function"), { code: "42883" }))
      const feed = new Follower(rooms, { after: "beginning" }, () => {})
      await expect(feed.next()).rejects.toThrow("no such function")
    })
  })
})
