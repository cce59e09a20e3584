import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough, Writable } from "node:stream"
import { TransformStream } from "node:stream/web"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import type { Database } from "../../core/database.ts"
import type { Exporter, ExportSubject } from "../../core/exporter.ts"
import { testDatabases } from "../../database/test-database.ts"
import { migrate } from "../../store/migrate.ts"
import { createTestBench, diamond, errorJson, single, type TestBench } from "../test-bench.ts"
import type { ExportRequest } from "./export-request.ts"
import { createTestExports } from "./test-exports.ts"

const TASKS = 25

/** An exporter of the format `test` that does this. */
function exporterOf(write: Exporter["export"], more: Partial<Exporter> = {}): Exporter {
  return { name: "test", formats: ["test"], export: write, ...more }
}

describe.each(testDatabases(migrate))("exports on $kind", ({ kind, open }) => {
  let database: Database
  let bench: TestBench
  let close: () => Promise<void>
  let folder: string
  const taskIds: string[] = []

  beforeAll(async () => {
    const opened = await open()
    database = opened.database
    close = () => opened.close()
    bench = await createTestBench(database, [diamond, single])
    for (let a = 0; a < TASKS; a++) {
      const options = { attributes: { note: "=1+1", password: "hunter2" }, tags: [`t${a}`], initiator: "ann" }
      taskIds.push((await bench.client.createTask(single, { a }, options)).taskId)
    }
    await bench.drain((step) =>
      step.taskId === taskIds[3] ? { kind: "error", json: errorJson("no", "E1") } : { json: '{"token":"abc","ok":1}' },
    )
    const { taskId } = await bench.client.createTask(diamond, { n: 1 })
    await database.query({
      text: `
        insert into tasker.transitions (at, task_id, step_no, from_state, to_state, cause, event)
        values (now(), $1, 0, 'in_progress', 'in_progress', 'published', $2)`,
      values: [taskId, { name: "shop.paid", payload: { cents: 7, token: "abc" } }],
    })
  })
  afterAll(() => close())
  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "tasker-exports-"))))
  afterEach(async () => await rm(folder, { recursive: true }))

  /** What an export writes into a file. */
  async function textOf(request: object, exporters: readonly Exporter[] = []): Promise<string> {
    const to = join(folder, "out")
    // Tests pass what a user without a compiler could.
    await createTestExports(database, { exporters }).run({ ...request, to } as ExportRequest)
    return await readFile(to, "utf8")
  }

  async function linesOf(request: object): Promise<readonly Record<string, unknown>[]> {
    const text = await textOf({ format: "jsonl", ...request })
    // Lines are objects: that is what the exporter writes.
    return text
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  }

  test("tasks: the oldest first, each with its fields and without its input", async () => {
    const tasks = await linesOf({ what: "tasks" })
    expect(tasks.slice(0, TASKS).map(({ taskId }) => taskId)).toEqual(taskIds)
    expect(tasks).toHaveLength(TASKS + 1)
    const known = await bench.client.getTask(taskIds[0]!)
    expect(tasks[0]).toEqual({
      taskId: taskIds[0],
      namespace: "shop",
      workflow: "single",
      version: "1.0.0",
      state: "complete",
      priority: 3,
      createdAt: known.createdAt.toISOString(),
      startedAt: known.startedAt!.toISOString(),
      finishedAt: known.finishedAt!.toISOString(),
      durationMs: known.finishedAt!.getTime() - known.startedAt!.getTime(),
      pausedAt: null,
      tags: ["t0"],
      attributes: { note: "=1+1", password: "[REDACTED]" },
      correlationId: null,
      initiator: "ann",
      sourceSystem: null,
      reason: null,
    })
  })

  test("steps: with their errors, and without their results", async () => {
    const steps = await linesOf({ what: "steps", workflow: "single" })
    expect(steps.map(({ taskId }) => taskId)).toEqual(taskIds)
    expect(steps[3]).toMatchObject({
      step: "only",
      state: "error",
      attempts: 1,
      maxAttempts: 3,
      errorName: "Error",
      errorCode: "E1",
      errorMessage: "no",
    })
    expect(steps[0]).not.toHaveProperty("result")
    expect(steps[0]!["durationMs"]).toEqual(expect.any(Number))
  })

  test("history: as the client gives it, with the workflow", async () => {
    const history = await linesOf({ what: "history", workflow: "single" })
    const expected = await bench.client.getHistory(taskIds[3]!)
    const ofTask = history.filter(({ taskId }) => taskId === taskIds[3])
    expect(ofTask).toEqual(
      expected.map(({ error, at, event: _event, ...transition }) => ({
        event: null,
        ...transition,
        at: at.toISOString(),
        taskId: taskIds[3],
        namespace: "shop",
        workflow: "single",
        version: "1.0.0",
        errorName: error?.name ?? null,
        errorCode: error?.code ?? null,
        errorMessage: error?.message ?? null,
      })),
    )
    expect(history.map(({ transitionId }) => transitionId)).toEqual(
      history.map(({ transitionId }) => Number(transitionId)).toSorted((one, other) => one - other),
    )
  })

  test("metrics: from the source that is passed", async () => {
    const metrics = () => [
      { name: "a_total", help: "A.", type: "counter", values: [{ value: 2, labels: { outcome: "complete" } }] },
      {
        name: "b_seconds",
        help: "B.",
        type: "histogram",
        values: [
          { value: 1, metricName: "b_seconds_bucket", labels: { le: 0.5 } },
          { value: 1, metricName: "b_seconds_bucket", labels: { le: Number.POSITIVE_INFINITY } },
          { value: 0.25, metricName: "b_seconds_sum", labels: {} },
          { value: 1, metricName: "b_seconds_count", labels: {} },
        ],
      },
      { name: "c", values: [{ value: 1 }] },
    ]
    expect(await textOf({ what: "metrics", format: "PROMETHEUS", metrics })).toBe(
      "# HELP a_total A.\n# TYPE a_total counter\n"
        + 'a_total{outcome="complete"} 2\n# HELP b_seconds B.\n# TYPE b_seconds histogram\n'
        + 'b_seconds_bucket{le="0.5"} 1\nb_seconds_bucket{le="+Inf"} 1\nb_seconds_sum 0.25\nb_seconds_count 1\n'
        + "# TYPE c untyped\nc 1\n",
    )
    const csv = await textOf({ what: "metrics", format: "csv", metrics, options: { columns: ["name", "labels"] } })
    expect(csv.split("\r\n").slice(0, 3)).toEqual([
      "name,label_le,label_outcome",
      "a_total,,complete",
      "b_seconds_bucket,0.5,",
    ])
  })

  test("since, until, namespace, workflow, version and state choose", async () => {
    const until = (await bench.client.getTask(taskIds[5]!)).createdAt
    const since = (await bench.client.getTask(taskIds[2]!)).createdAt
    // Dates have milliseconds, and several tasks may have been created in one.
    const between = (task: Record<string, unknown>) =>
      new Date(String(task["createdAt"])) >= since && new Date(String(task["createdAt"])) < until
    const all = await linesOf({ what: "tasks" })
    expect(await linesOf({ what: "tasks", since, until })).toEqual(all.filter(between))
    expect(await linesOf({ what: "tasks", namespace: "shop", workflow: "diamond", version: "1.0.0" })).toHaveLength(1)
    expect(await linesOf({ what: "tasks", version: "2.0.0" })).toEqual([])
    expect(await linesOf({ what: "tasks", state: "error" })).toMatchObject([{ taskId: taskIds[3] }])
    expect(await linesOf({ what: "steps", state: ["error", "pending"] })).toHaveLength(5)
    expect(await linesOf({ what: "tasks", state: [] })).toEqual(all)
    expect(await linesOf({ what: "steps", state: [] })).toHaveLength(TASKS + 4)
    expect(await linesOf({ what: "history", until: new Date(1_000) })).toEqual([])
  })

  test("include: inputs and results are there when they are asked for, without their secrets", async () => {
    const [task] = await linesOf({ what: "tasks", include: ["input"] })
    expect(task!["input"]).toEqual({ a: 0, b: "x" })
    const [step] = await linesOf({ what: "steps", include: ["result"] })
    expect(step!["result"]).toEqual({ token: "[REDACTED]", ok: 1 })
    const options = { columns: ["input.a", "input.b", "attributes.note"], headers: false }
    const csv = await textOf({ what: "tasks", include: ["input"], workflow: "single", format: "csv", options })
    expect(csv.split("\r\n").slice(0, 2)).toEqual([`0,x,"'=1+1"`, `1,x,"'=1+1"`])
  })

  test("what operators and handlers wrote has no secrets", async () => {
    const own = await open()
    try {
      const filled = await createTestBench(own.database, [single])
      const { client } = filled
      await client.createTask(
        single,
        { a: 1 },
        {
          reason: "password=hunter2",
          tags: ["token=abc"],
          correlationId: "password=hunter2",
          initiator: "token=abc",
          sourceSystem: "https://bob:hunter2@crm",
        },
      )
      await filled.drain(() => ({ kind: "error", json: errorJson("password=hunter2", "token=abc") }))
      const cancelled = await client.createTask(single, { a: 1 })
      await client.cancelTask(cancelled, { by: "token=abc", reason: "password=hunter2" })
      for (const what of ["tasks", "steps", "history"] as const) {
        const to = join(folder, what)
        await createTestExports(own.database).run({ what, format: "jsonl", to })
        const written = await readFile(to, "utf8")
        expect(written).toContain("password=[REDACTED]")
        expect(written).not.toMatch(/hunter2|token=abc/)
      }
    } finally {
      await own.close()
    }
  })

  test("include: what steps published has its payload when it is asked for, without its secrets", async () => {
    const request = { what: "history", workflow: "diamond", until: undefined }
    const paid = { step: "start", cause: "published", event: "shop.paid" }
    const bare = (await linesOf(request)).at(-1)
    expect(bare).toMatchObject(paid)
    expect(bare).not.toHaveProperty("payload")
    const full = (await linesOf({ ...request, include: ["payload"] })).at(-1)
    expect(full).toMatchObject({ ...paid, payload: { cents: 7, token: "[REDACTED]" } })
  })

  test("tells what it wrote, by what it returns and by events", async () => {
    const exports = createTestExports(database)
    const to = join(folder, "tasks.csv")
    const summary = await exports.run({ what: "tasks", format: "CSV", to })
    expect(summary).toEqual({
      exportId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      what: "tasks",
      format: "csv",
      exporter: "csv",
      recordCount: TASKS + 1,
      bytes: (await readFile(to)).byteLength,
      durationMs: expect.any(Number),
    })
    const { exportId, what, format, exporter } = summary
    expect(exports.events).toEqual([
      { name: "tasker.telemetry.export_requested", payload: { exportId, what, format, exporter } },
      { name: "tasker.telemetry.export_completed", payload: summary },
    ])
  })

  test("tells the exporter when it begins and when it is written", async () => {
    const told: unknown[] = []
    const csv = exporterOf(
      async function* (records) {
        for await (const record of records) yield record.kind
      },
      {
        onExportRequested: ({ what, labels }) => void told.push(["requested", what, labels]),
        onExportCompleted: ({ recordCount, bytes }) => void told.push(["completed", recordCount, bytes]),
      },
    )
    await textOf({ what: "tasks", format: "test" }, [csv])
    expect(told).toEqual([
      ["requested", "tasks", []],
      ["completed", TASKS + 1, 4 * (TASKS + 1)],
    ])
  })

  // What follows does not depend on the database.
  describe.runIf(kind === "pglite")("that go wrong", () => {
    const until = async (signal: AbortSignal): Promise<void> =>
      await new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
    const never = new Promise<never>(() => {})

    const broken: readonly (readonly [string, Exporter["export"], string])[] = [
      [
        "throws at once",
        () => {
          throw new Error("boom")
        },
        'exporter "test" threw while it wrote tasks: boom',
      ],
      [
        "throws in the middle",
        async function* (records) {
          for await (const record of records) {
            yield record.kind
            if (record.kind === "task" && record.taskId === taskIds[15]) throw new Error("boom")
          }
        },
        'exporter "test" threw while it wrote tasks: boom',
      ],
      [
        "throws what is no error",
        // oxlint-disable-next-line require-yield -- it comes to none
        async function* () {
          // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error -- that is what is tested
          throw "boom"
        },
        'exporter "test" threw while it wrote tasks: "boom"',
      ],
      [
        "gives no pieces",
        // What a user without a compiler could write.
        (() => "text") as unknown as Exporter["export"],
        'expected exporter "test" to give pieces, got "text"',
      ],
      [
        "gives something else",
        async function* () {
          yield 7 as unknown as string // what a user without a compiler could write
        },
        "expected text or bytes, got 7",
      ],
    ]

    test.each(broken)("an exporter that %s fails its export, and nothing else", async (_what, write, message) => {
      const told: unknown[] = []
      const onExportFailed = (error: unknown): void => void told.push(error)
      const exports = createTestExports(database, { exporters: [exporterOf(write, { onExportFailed })] })
      const to = join(folder, "out")
      const other = exports.run({ what: "tasks", format: "csv", to: join(folder, "other.csv") })
      const failure: unknown = await exports.run({ what: "tasks", format: "test", to }).catch((error: unknown) => error)
      expect(failure).toMatchObject({ code: "TASKER_EXPORT_FAILED", message })
      await other
      expect(await readdir(folder)).toEqual(["other.csv"])
      const error = { name: "TaskerError", code: "TASKER_EXPORT_FAILED", message }
      const facts = { exportId: expect.any(String), what: "tasks", format: "test", exporter: "test" }
      expect(exports.events.filter(({ name }) => name === "tasker.telemetry.export_failed")).toEqual([
        { name: "tasker.telemetry.export_failed", payload: { ...facts, durationMs: expect.any(Number), error } },
      ])
      expect(exports.warnings).toMatchObject([[{ ...facts, error }, "an export ended before it was whole"]])
      expect(told).toEqual([failure])
    })

    test("what fails before the first piece ends the stream, too, for whoever reads it", async () => {
      const exports = createTestExports(database, { exporters: [exporterOf(broken[0]![1])] })
      const metrics = async () => await Promise.reject<never>(new Error("boom"))
      for (const request of [
        { what: "tasks", format: "test" } as const,
        { what: "metrics", format: "json", metrics } as const,
      ]) {
        const to = new PassThrough()
        await expect(exports.run({ ...request, to })).rejects.toThrow("boom")
        expect(to.errored).toMatchObject({ code: "TASKER_EXPORT_FAILED" })
        const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
        const read = expect(readable.getReader().read()).rejects.toMatchObject({ code: "TASKER_EXPORT_FAILED" })
        await expect(exports.run({ ...request, to: writable })).rejects.toThrow("boom")
        await read
      }
    })

    test("an error that is long or cannot be read is told bounded", async () => {
      const long = new Error("x".repeat(5_000))
      const odd = Object.defineProperty(new Error("odd"), "code", {
        get: () => {
          throw new Error("no code")
        },
      })
      const exports = createTestExports(database)
      for (const reason of [long, odd]) {
        const ending = new AbortController()
        const run = exports.run({ what: "tasks", format: "csv", to: join(folder, "out"), signal: ending.signal })
        ending.abort(reason)
        await expect(run).rejects.toBe(reason)
      }
      const failed = exports.events.filter(({ name }) => name === "tasker.telemetry.export_failed")
      expect(failed).toMatchObject([
        { payload: { error: { message: `${"x".repeat(2_000)}…` } } },
        { payload: { error: { message: "something was thrown that cannot be read" } } },
      ])
    })

    test("a failed export leaves the file that was there before", async () => {
      const exports = createTestExports(database, { exporters: [exporterOf(broken[1]![1])] })
      const to = join(folder, "out")
      await writeFile(to, "before")
      await expect(exports.run({ what: "tasks", format: "test", to })).rejects.toThrow("boom")
      expect(await readFile(to, "utf8")).toBe("before")
      await exports.run({ what: "tasks", format: "csv", to, workflow: "diamond", options: { columns: ["workflow"] } })
      expect(await readFile(to, "utf8")).toBe("workflow\r\ndiamond\r\n")
      expect(await readdir(folder)).toEqual(["out"])
    })

    const hanging: readonly (readonly [string, Exporter["export"]])[] = [
      [
        "never gives a piece",
        async function* () {
          await never
          yield ""
        },
      ],
      [
        "waits for the signal",
        async function* (_records, _options, { signal }) {
          await until(signal)
          yield "late"
        },
      ],
      [
        "never ends",
        async function* () {
          for (;;) yield "more and more"
        },
      ],
    ]

    test.each(hanging)("an exporter that %s ends with the signal", async (_what, write) => {
      const exports = createTestExports(database, { exporters: [exporterOf(write)] })
      const ending = new AbortController()
      const reason = new Error("the user has gone")
      const run = exports.run({ what: "tasks", format: "test", to: join(folder, "out"), signal: ending.signal })
      setTimeout(() => ending.abort(reason), 20)
      await expect(run).rejects.toBe(reason)
      expect(await readdir(folder)).toEqual([])
      expect(exports.events.map(({ name }) => name)).toEqual([
        "tasker.telemetry.export_requested",
        "tasker.telemetry.export_failed",
      ])
    })

    test("a source of metrics that throws or hangs fails its export", async () => {
      const exports = createTestExports(database)
      const to = join(folder, "out")
      const metrics = async () => await Promise.reject<never>(new Error("no metrics"))
      await expect(exports.run({ what: "metrics", format: "json", to, metrics })).rejects.toMatchObject({
        code: "TASKER_EXPORT_FAILED",
        message: "reading threw of metrics: no metrics",
      })
      const signal = AbortSignal.timeout(20)
      const hangs = exports.run({ what: "metrics", format: "json", to, metrics: async () => await never, signal })
      await expect(hangs).rejects.toMatchObject({ name: "TimeoutError" })
      expect(exports.events.filter(({ name }) => name === "tasker.telemetry.export_failed")).toHaveLength(2)
      expect(await readdir(folder)).toEqual([])
    })

    test("what the database refuses fails the export, also when the exporter says nothing of it", async () => {
      const swallowing = exporterOf(async function* (records) {
        try {
          for await (const record of records) yield record.kind
        } catch {
          yield "all is well"
        }
      })
      let calls = 0
      const failing = {
        query: async <Row>(statement: Parameters<Database["query"]>[0]): Promise<readonly Row[]> => {
          if (++calls === 3) throw new Error("connection lost")
          return await database.query<Row>(statement)
        },
      }
      const exports = createTestExports(failing, { exporters: [swallowing] })
      await expect(exports.run({ what: "tasks", format: "test", to: join(folder, "out") })).rejects.toMatchObject({
        code: "TASKER_EXPORT_FAILED",
        message: "reading threw of tasks: connection lost",
      })
      expect(await readdir(folder)).toEqual([])
    })

    test("a callback that throws or hangs harms nobody, and is logged", async () => {
      const exports = createTestExports(database, {
        exporters: [
          exporterOf(
            async function* () {
              yield "ok"
            },
            {
              onExportRequested: () => {
                throw new Error("boom")
              },
              onExportCompleted: async () => await never,
            },
          ),
        ],
      })
      expect(await exports.run({ what: "tasks", format: "test", to: join(folder, "out") })).toMatchObject({ bytes: 2 })
      expect(exports.warnings).toMatchObject([[{ error: { message: "boom" } }, "a callback of an exporter threw"]])
    })

    test("closing ends what runs, and lets nothing begin", async () => {
      const exports = createTestExports(database, { exporters: [exporterOf(hanging[0]![1])] })
      const to = join(folder, "out")
      const run = exports.run({ what: "tasks", format: "test", to })
      const refused = expect(run).rejects.toMatchObject({ code: "TASKER_CLOSED" })
      await exports.close()
      await refused
      await exports.close()
      await expect(exports.run({ what: "tasks", format: "csv", to })).rejects.toMatchObject({ code: "TASKER_CLOSED" })
      expect(await readdir(folder)).toEqual([])
    })

    test("a signal that has aborted begins nothing", async () => {
      const exports = createTestExports(database)
      const signal = AbortSignal.abort(new Error("gone"))
      await expect(exports.run({ what: "tasks", format: "csv", to: join(folder, "out"), signal })).rejects.toThrow(
        "gone",
      )
      expect(exports.events).toEqual([])
    })

    test("reads no further than what is written", async () => {
      let release: () => void = () => {}
      const written: number[] = []
      const slow = new Writable({
        write(chunk: Uint8Array, _encoding, done) {
          written.push(chunk.byteLength)
          release = done
        },
      })
      const wide = exporterOf(async function* (records) {
        for await (const record of records) yield `${record.kind}${" ".repeat(70_000)}`
      })
      const run = createTestExports(database, { pageRows: 2, exporters: [wide] })
      const done = run.run({ what: "tasks", format: "test", to: slow })
      while (written.length === 0) await new Promise((resolve) => setImmediate(resolve))
      for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
      // The range, the page that is written, and the one after it.
      expect(run.statementCount()).toBe(3)
      expect(written).toHaveLength(1)
      const drain = setInterval(() => release(), 0)
      await done
      clearInterval(drain)
      expect(run.statementCount()).toBe(1 + 13 + 1)
      expect(written).toHaveLength(TASKS + 1)
    })

    test("a piece may end in the middle of a character", async () => {
      const split = exporterOf(async function* () {
        for (let index = 0; index < 3; index++) {
          yield `${"x".repeat(70_000)}\ud83d`
          yield "\ude00"
        }
        yield new Uint8Array([0xc3])
        yield new Uint8Array([0xa9])
      })
      expect(await textOf({ what: "tasks", format: "test" }, [split])).toBe(`${`${"x".repeat(70_000)}😀`.repeat(3)}é`)
    })

    const csv = { what: "tasks", format: "csv", to: "x" }
    test.each<readonly [object, string, string]>([
      [{ ...csv, what: "task" }, "TASKER_OPTION_INVALID", "expected what to be one of"],
      [{ ...csv, format: undefined }, "TASKER_OPTION_INVALID", "expected format to be text"],
      [{ ...csv, to: undefined }, "TASKER_OPTION_INVALID", "expected to to be a path"],
      [{ ...csv, to: 7 }, "TASKER_OPTION_INVALID", "expected to to be a path"],
      [{ ...csv, since: "2020" }, "TASKER_OPTION_INVALID", "expected since to be a Date"],
      [
        { ...csv, since: new Date(2), until: new Date(1) },
        "TASKER_OPTION_INVALID",
        "expected since to be before until",
      ],
      [{ ...csv, include: ["result"] }, "TASKER_OPTION_INVALID", 'expected include to be a list of "input"'],
      [{ ...csv, include: ["input", "input"] }, "TASKER_OPTION_INVALID", 'expected include to be a list of "input"'],
      [{ ...csv, what: "history", state: "error" }, "TASKER_OPTION_INVALID", 'unknown option "state"'],
      [{ ...csv, what: "metrics" }, "TASKER_OPTION_INVALID", "expected metrics to be a function"],
      [{ ...csv, options: { seperator: ";" } }, "TASKER_OPTION_INVALID", 'unknown option "seperator"'],
      [{ ...csv, options: { separator: 1 } }, "TASKER_OPTION_INVALID", "expected separator to be one character"],
      [{ ...csv, options: [] }, "TASKER_OPTION_INVALID", "expected options to be an object"],
      [{ ...csv, format: "cvs" }, "TASKER_PLUGIN_NOT_FOUND", 'no exporter writes the format "cvs"'],
      [{ ...csv, format: "prometheus" }, "TASKER_PLUGIN_NOT_FOUND", 'no exporter writes tasks as "prometheus"'],
      [
        { ...csv, exporter: "json" },
        "TASKER_PLUGIN_NOT_FOUND",
        'no exporter by the name "json" writes the format "csv"',
      ],
    ])("refuses %j before anything is read", async (request, code, message) => {
      const exports = createTestExports(database)
      // What a user without a compiler could pass.
      await expect(exports.run(request as ExportRequest)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(message),
      })
      expect(exports.statementCount()).toBe(0)
      expect(exports.events).toEqual([])
    })

    test("a metric source that gives no metrics is refused", async () => {
      const to = join(folder, "out")
      for (const given of [undefined, {}, ["a"], [{ name: "a", values: [{ value: "1" }] }]]) {
        // What a user without a compiler could pass.
        const request = { what: "metrics", format: "json", to, metrics: () => given } as unknown as ExportRequest
        await expect(createTestExports(database).run(request)).rejects.toMatchObject({ code: "TASKER_OPTION_INVALID" })
      }
    })

    test("exporter: chooses among several that write a format", async () => {
      const mine = exporterOf(
        async function* () {
          yield "mine"
        },
        { name: "mine", formats: ["csv"] },
      )
      expect(await textOf({ what: "tasks", format: "csv" }, [mine])).toBe("mine")
      const options = { columns: ["state"] }
      const builtIn = { what: "tasks", format: "csv", exporter: "csv", state: "error", options }
      expect(await textOf(builtIn, [mine])).toBe("state\r\nerror\r\n")
    })

    test("subjects: an exporter is passed over where it writes something else", async () => {
      const subjects: readonly ExportSubject[] = ["metrics"]
      const mine = exporterOf(
        async function* () {
          yield "mine"
        },
        { name: "mine", formats: ["csv"], subjects },
      )
      const options = { columns: ["state"] }
      expect(await textOf({ what: "tasks", format: "csv", state: "error", options }, [mine])).toBe("state\r\nerror\r\n")
      expect(await textOf({ what: "metrics", format: "csv", metrics: () => [] }, [mine])).toBe("mine")
    })
  })
})
