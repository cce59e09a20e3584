import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api"
import { BasicTracerProvider } from "@opentelemetry/sdk-trace-base"
import { isTaskerError, type Logger } from "@tasker/engine"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { startTelemetry, type Telemetry, type TelemetryOptions } from "./start-telemetry.ts"
import { type OtlpReceiver, startOtlpReceiver } from "./test-otlp-receiver.ts"

let receiver: OtlpReceiver
let telemetry: Telemetry | undefined
let warnings: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[]

const logger: Logger = {
  debug: () => {},
  info: () => {},
  warn: (fields, message) => void warnings.push({ fields, message }),
  error: () => {},
}

beforeEach(async () => {
  warnings = []
  receiver = await startOtlpReceiver()
})

afterEach(async () => {
  await telemetry?.shutdown({ timeoutMs: 100 })
  telemetry = undefined
  await receiver.close()
})

function start(options: Partial<TelemetryOptions> = {}): Telemetry {
  telemetry = startTelemetry({ serviceName: "shop", logger, ...options, otlp: { url: receiver.url, ...options.otlp } })
  return telemetry
}

function endSpans(count = 1): void {
  const tracer = trace.getTracer("test")
  for (let number = 0; number < count; number++) tracer.startSpan(`span ${number}`).end()
}

describe("startTelemetry", () => {
  test("sends what ended to the collector, with what the process is and the caller's headers", async () => {
    const running = start({
      serviceVersion: "1.2.3",
      resource: { "deployment.environment.name": "test", "shop.number": 7 },
      otlp: { headers: { "x-api-key": "k1" } },
    })
    endSpans(2)
    await running.forceFlush()
    expect(receiver.spans.map(({ name }) => name)).toEqual(["span 0", "span 1"])
    expect(receiver.spans[0]?.resource).toMatchObject({
      "service.name": "shop",
      "service.version": "1.2.3",
      "deployment.environment.name": "test",
      "shop.number": 7n,
      "telemetry.sdk.language": "nodejs",
    })
    expect(receiver.requests).toEqual([
      {
        path: "/v1/traces",
        headers: expect.objectContaining({ "x-api-key": "k1", "content-type": "application/x-protobuf" }),
      },
    ])
  })

  test.each(["", "/", "/v1/traces"])("takes the collector's root as well as the whole URL: %j", async (path) => {
    const running = start({ otlp: { url: `${receiver.url}${path}` } })
    endSpans()
    await running.forceFlush()
    expect(receiver.requests[0]?.path).toBe("/v1/traces")
  })

  test("a path that the collector is below stays", async () => {
    const running = start({ otlp: { url: `${receiver.url}/otlp/` } })
    endSpans()
    await running.forceFlush()
    expect(receiver.requests[0]?.path).toBe("/otlp/v1/traces")
  })

  test("spans nest across what is awaited, and headers carry them on", async () => {
    const running = start()
    const tracer = trace.getTracer("test")
    const headers: Record<string, string> = {}
    await tracer.startActiveSpan("outer", async (outer) => {
      await new Promise(setImmediate)
      tracer.startSpan("inner").end()
      propagation.inject(context.active(), headers)
      outer.end()
    })
    await running.forceFlush()
    const [inner, outer] = receiver.spans
    expect(inner).toMatchObject({ name: "inner", parentSpanId: outer?.spanId, traceId: outer?.traceId })
    expect(headers).toEqual({ traceparent: `00-${outer?.traceId}-${outer?.spanId}-01` })
  })

  test("sends by itself after delayMs, in batches of maxSpans", async () => {
    start({ batch: { delayMs: 1, maxSpans: 2 } })
    endSpans(5)
    await receiver.until((spans) => spans.length === 5)
    expect(receiver.requests).toHaveLength(3)
  })

  test("sampling bounds what is recorded", async () => {
    const running = start({ sampling: { maxTracesPerSecond: 3 } })
    // No time passes while they end.
    const clock = vi.spyOn(performance, "now").mockReturnValue(performance.now())
    endSpans(10)
    clock.mockRestore()
    await running.forceFlush()
    expect(receiver.spans).toHaveLength(3)
  })

  test("records 10 traces a second unless told otherwise, and all with null", async () => {
    start()
    endSpans(5_000)
    await telemetry?.shutdown()
    const count = receiver.spans.length
    // Ten at once, and a few more while they were made.
    expect(count).toBeGreaterThanOrEqual(10)
    expect(count).toBeLessThan(200)
    start({ sampling: { maxTracesPerSecond: null } })
    endSpans(5_000)
    await telemetry?.shutdown()
    expect(receiver.spans).toHaveLength(count + 5_000)
  })

  test("shutdown sends what has ended, may be called twice, and leaves nothing registered", async () => {
    const running = start()
    endSpans()
    await Promise.all([running.shutdown(), running.shutdown()])
    expect(receiver.spans).toHaveLength(1)
    expect(trace.getTracer("test").startSpan("late").isRecording()).toBe(false)
    expect(context.with(ROOT_CONTEXT.setValue(Symbol.for("a"), 1), () => context.active())).toBe(ROOT_CONTEXT)
    expect(propagation.fields()).toEqual([])
    await start().shutdown()
  })
})

describe("a collector that takes nothing", () => {
  test("harms nobody, and is told once", async () => {
    const gone = await startOtlpReceiver()
    await gone.close()
    // Long enough to be refused in, and too short for a second try, which comes after 800 ms or more.
    const running = start({ otlp: { url: gone.url, timeoutMs: 700 } })
    for (let flush = 0; flush < 3; flush++) {
      endSpans()
      await running.forceFlush()
    }
    await running.shutdown()
    const told = warnings.filter(({ message }) => message === "spans could not be exported")
    expect(told.length).toBeGreaterThan(0)
    expect(JSON.stringify(told)).toContain("ECONNREFUSED")
  })

  test("is given up after timeoutMs", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1")
    await once(silent, "listening")
    // It listens on a port.
    const { port } = silent.address() as AddressInfo
    const running = start({ otlp: { url: `http://127.0.0.1:${port}`, timeoutMs: 20 } })
    endSpans()
    await running.forceFlush()
    expect(JSON.stringify(warnings)).toMatch(/timed out|Timeout/i)
    silent.closeAllConnections()
    silent.close()
  })

  test("keeps a shutdown no longer than it is told", async () => {
    const silent = createServer(() => {}).listen(0, "127.0.0.1")
    await once(silent, "listening")
    // It listens on a port.
    const { port } = silent.address() as AddressInfo
    const running = start({ otlp: { url: `http://127.0.0.1:${port}` } })
    endSpans()
    await running.shutdown({ timeoutMs: 10 })
    expect(warnings.at(-1)).toEqual({
      fields: { component: "telemetry", timeoutMs: 10 },
      message: "the collector has not taken all spans in time",
    })
    silent.closeAllConnections()
    silent.close()
  })

  test("fills the queue; what it has no room for is dropped, and the log says how much", async () => {
    const running = start({
      batch: { queueSize: 10, maxSpans: 10, delayMs: 60_000 },
      sampling: { maxTracesPerSecond: null },
    })
    receiver.status = 400
    // Ten are on their way at once, ten are kept, and five have no place.
    endSpans(25)
    await running.forceFlush()
    receiver.status = 200
    endSpans()
    await running.forceFlush()
    const dropped = warnings.map(({ fields }) => String(fields["error"])).filter((text) => text.includes("Dropped"))
    expect(dropped).toEqual(["Dropped 5 spans because maxQueueSize reached"])
    expect(receiver.spans).toHaveLength(1)
  })
})

describe("what startTelemetry refuses", () => {
  test("a process that has an SDK: it says so, and changes nothing", () => {
    const host = new BasicTracerProvider()
    trace.setGlobalTracerProvider(host)
    try {
      expect(() => start()).toThrow("this process has registered an OpenTelemetry SDK already")
      expect(trace.getTracer("test").startSpan("host").isRecording()).toBe(true)
      expect(propagation.fields()).toEqual([])
    } finally {
      trace.disable()
    }
    start()
    expect(propagation.fields()).toContain("traceparent")
    expect(() => startTelemetry({ serviceName: "again" })).toThrow("SDK already")
  })

  test.each([
    [{}, "serviceName"],
    [{ serviceName: "" }, "serviceName"],
    [{ serviceName: "a", servicename: "b" }, 'unknown option "servicename"'],
    [{ serviceName: "a", serviceVersion: 1 }, "serviceVersion"],
    [{ serviceName: "a", resource: { a: null } }, "resource"],
    [{ serviceName: "a", logger: {} }, "logger"],
    [{ serviceName: "a", otlp: [] }, "otlp"],
    [{ serviceName: "a", otlp: { url: "localhost:4318" } }, "url"],
    [{ serviceName: "a", otlp: { headers: { a: 1 } } }, "headers"],
    [{ serviceName: "a", otlp: { timeoutMs: 0 } }, "timeoutMs"],
    [{ serviceName: "a", otlp: { endpoint: "x" } }, "endpoint"],
    [{ serviceName: "a", sampling: { ratio: 1.1 } }, "ratio"],
    [{ serviceName: "a", sampling: { maxTracesPerSecond: 0 } }, "maxTracesPerSecond"],
    [{ serviceName: "a", sampling: 1 }, "sampling"],
    [{ serviceName: "a", batch: { maxSpans: 0 } }, "maxSpans"],
    [{ serviceName: "a", batch: { delayMs: -1 } }, "delayMs"],
    [{ serviceName: "a", batch: { queueSize: 511 } }, "queueSize to be an integer from 512"],
  ])("options that it does not take: %j", (options, problem) => {
    // As without a compiler.
    expect(() => startTelemetry(options as TelemetryOptions)).toThrow(
      expect.objectContaining({ code: "TASKER_CONFIG_INVALID", message: expect.stringContaining(problem) }),
    )
    expect(propagation.fields()).toEqual([])
  })

  test("a flush with options that it does not take", async () => {
    const running = start()
    for (const call of ["forceFlush", "shutdown"] as const) {
      const error = await running[call]({ timeoutMs: 0 }).catch((thrown: unknown) => thrown)
      expect(isTaskerError(error, "TASKER_OPTION_INVALID")).toBe(true)
    }
  })
})
