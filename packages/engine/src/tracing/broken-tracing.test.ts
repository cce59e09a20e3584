import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { PassThrough } from "node:stream"
import { context, propagation, type Span, type SpanOptions, trace, type Tracer } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import { pino } from "pino"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { defineWorkflow } from "../core/define-workflow.ts"
import { testDatabases } from "../database/test-database.ts"
import { callApi } from "../http/call-api.ts"
import { readLines } from "../logging/test-lines.ts"
import { createTasker, type Tasker } from "../tasker.ts"
import { runTask } from "../testing.ts"
import { startTestTracing, type TestTracing } from "./test-tracing.ts"

const refuse = (): never => {
  throw new Error("broken: password=hunter2")
}

/** Replaces one method of what there is. */
function breaking<T extends object>(whole: T, method: keyof T): T {
  return new Proxy(whole, {
    get(target, key) {
      if (key === method) return refuse
      const value: unknown = Reflect.get(target, key)
      // The SDK's own are called on the SDK's own.
      return typeof value === "function" ? (value.bind(target) as unknown) : value
    },
  })
}

function provideTracer(tracer: Tracer): void {
  trace.disable()
  trace.setGlobalTracerProvider({ getTracer: () => tracer })
}

/** Breaks one method of every span. */
function breakSpans(method: keyof Span): void {
  const tracer = trace.getTracer("whole")
  const startSpan: Tracer["startSpan"] = (name: string, options?: SpanOptions, parent?) =>
    breaking(tracer.startSpan(name, options, parent), method)
  provideTracer({ startSpan, startActiveSpan: refuse })
}

function breakContext(method: "with" | "active"): void {
  context.disable()
  context.setGlobalContextManager(breaking(new AsyncLocalStorageContextManager().enable(), method))
}

const SPAN_METHODS = [
  "spanContext",
  "isRecording",
  "setAttribute",
  "setAttributes",
  "setStatus",
  "addEvent",
  "addLink",
  "recordException",
  "end",
] as const

const BREAKS: Readonly<Record<string, () => void>> = {
  getTracer() {
    trace.disable()
    trace.setGlobalTracerProvider({ getTracer: refuse })
  },
  startSpan: () => provideTracer({ startSpan: refuse, startActiveSpan: refuse }),
  ...Object.fromEntries(SPAN_METHODS.map((method) => [`span.${method}`, () => breakSpans(method)])),
  "context.with": () => breakContext("with"),
  "context.active": () => breakContext("active"),
  "propagation.inject"() {
    propagation.disable()
    propagation.setGlobalPropagator({ inject: refuse, extract: (inside) => inside, fields: () => [] })
  },
}

describe.each(testDatabases())("on $kind, an OpenTelemetry SDK that throws in", ({ open }) => {
  let opened: Awaited<ReturnType<typeof open>>
  let tracing: TestTracing
  let server: Server

  beforeAll(async () => {
    opened = await open()
    server = createServer((_request, response) => void response.end("{}")).listen(0, "127.0.0.1")
    await once(server, "listening")
  })
  beforeEach(() => {
    tracing = startTestTracing()
  })
  afterEach(() => tracing.stop())
  afterAll(async () => {
    server.closeAllConnections()
    server.close()
    await opened.close()
  })

  const single = defineWorkflow({ name: "single", version: "1.0.0" }).step("only", { handler: () => 1 })

  /** Steps that fail, are skipped, call, log, and create tasks. */
  function everything(tasker: () => Tasker, url: string) {
    return defineWorkflow({ name: "everything", version: "1.0.0" })
      .step("calls", {
        maxAttempts: 2,
        backoff: { baseMs: 1, capMs: 1, jitter: 0 },
        handler: async (step) => {
          step.log.info({}, "called")
          await callApi(step, { url })
          if (step.attempt === 1) throw new TypeError("not yet")
          return step.attempt
        },
      })
      .step("creates", {
        maxAttempts: 1,
        handler: async () => {
          const one = await tasker().createTask(single, null)
          const many = await tasker().createTasks(single, [{ input: null }, { input: null }])
          return [one, ...many].filter(({ created }) => created).length
        },
      })
  }

  it.each(Object.keys(BREAKS))("%s harms no step, no call and no creation of tasks, and is told once", async (part) => {
    const log = new PassThrough()
    const logger = pino({ level: "warn" }, log)
    // A TCP server that listens has an address of this form.
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    BREAKS[part]?.()
    const workflow = everything(() => tasker, url)
    const tasker: Tasker = await createTasker({ url: opened.url, logger, workflows: [workflow, single] })
    try {
      await tasker.startWorker({ pollMs: 50 })
      const { results, state } = await runTask(tasker, workflow, null)
      expect(state).toBe("complete")
      expect(results).toEqual({ calls: 2, creates: 3 })
    } finally {
      await tasker.close({ timeoutMs: 100 })
    }
    const told = readLines(String(log.read())).filter(({ component }) => component === "tracing")
    expect(told).toMatchObject([{ error: { name: "Error", message: "broken: password=[REDACTED]" } }])
  })
})
