import { once } from "node:events"
import { createServer, type IncomingHttpHeaders, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { context, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api"
import { AlwaysOnSampler } from "@opentelemetry/sdk-trace-base"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { createRedactor } from "../core/redact.ts"
import { silentStep, startStepSpan } from "../tracing/step-span.ts"
import { startTestTracing, type TestTracing } from "../tracing/test-tracing.ts"
import { callApi } from "./call-api.ts"

const step = { signal: new AbortController().signal, idempotencyKey: "task-1:charge" }

const ATTEMPT = {
  taskId: "task-1",
  namespace: "shop",
  workflow: "order",
  version: "1.0.0",
  correlationId: "c_1",
  step: "charge",
  attempt: 1,
  maxAttempts: 1,
  queue: "shop",
  workerId: 1,
  waitMs: 0,
  traceContext: null,
}

let tracing: TestTracing
let server: Server
let url: string
let received: IncomingHttpHeaders[]
let status: number

beforeEach(async () => {
  tracing = startTestTracing()
  received = []
  status = 200
  server = createServer((request, response) => {
    received.push(request.headers)
    response.writeHead(status).end("{}")
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  // A TCP server that listens has an address of this form.
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(() => {
  expect(tracing.openCount()).toBe(0)
  tracing.stop()
  server.closeAllConnections()
  server.close()
})

describe("callApi with OpenTelemetry", () => {
  test("is a client's span below the active one, and the server sees its traceparent", async () => {
    await trace.getTracer("test").startActiveSpan("handler", async (handler) => {
      await callApi(step, { url: `${url}/carts/1?key=hunter22` })
      handler.end()
    })
    const [span, handler] = [tracing.span("GET"), tracing.span("handler")]
    const { traceId, spanId } = span.spanContext()
    expect(span.kind).toBe(SpanKind.CLIENT)
    expect(span.parentSpanContext?.spanId).toBe(handler.spanContext().spanId)
    expect(received[0]?.["traceparent"]).toBe(`00-${traceId}-${spanId}-01`)
    expect(span.attributes).toEqual({
      "http.request.method": "GET",
      "server.address": "127.0.0.1",
      "server.port": Number(new URL(url).port),
      "url.full": `${url}/carts/1`,
      "http.response.status_code": 200,
    })
  })

  test("below a step has no secret of the path, by the rules of the step's Tasker", async () => {
    const redact = createRedactor({ keys: ["iban"] })
    const span = startStepSpan(ATTEMPT, redact)
    await span?.run(() => callApi(step, { url: `${url}/pay;iban=DE02;token=hunter2/now` }))
    span?.end({ outcome: "complete" })
    expect(tracing.span("GET").attributes["url.full"]).toBe(`${url}/pay;iban=[REDACTED];token=[REDACTED]`)
  })

  test("below a step that is left out has none either, where a sampler records it all the same", async () => {
    tracing.stop()
    tracing = startTestTracing(new AlwaysOnSampler())
    const stored = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    const span = silentStep("task-1", "charge", stored, createRedactor({ keys: ["iban"] }))
    await span.run(() => callApi(step, { url: `${url}/pay;iban=DE02;token=hunter2/now` }))
    expect(tracing.span("GET").attributes["url.full"]).toBe(`${url}/pay;iban=[REDACTED];token=[REDACTED]`)
  })

  test("where no context tells of the step, the built-in rules hold", async () => {
    context.disable()
    const span = startStepSpan(ATTEMPT, createRedactor({ keys: ["iban"] }))
    await span?.run(() => callApi(step, { url: `${url}/pay;iban=DE02;token=hunter2/now` }))
    span?.end({ outcome: "complete" })
    expect(tracing.span("GET").attributes["url.full"]).toBe(`${url}/pay;iban=DE02;token=[REDACTED]`)
  })

  test("an answer that is no success is an error", async () => {
    status = 503
    await expect(callApi(step, { url })).rejects.toThrow("503")
    const span = tracing.span("GET")
    expect(span.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(span.attributes).toMatchObject({ "http.response.status_code": 503, "error.type": "HTTP_503" })
  })

  test("so is no answer", async () => {
    server.closeAllConnections()
    server.close()
    await once(server, "close")
    await expect(callApi(step, { url, method: "DELETE" })).rejects.toThrow("got no answer")
    expect(tracing.span("DELETE").attributes["error.type"]).toBe("HTTP_NO_ANSWER")
  })

  test("the caller's own traceparent stays", async () => {
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    await callApi(step, { url, headers: { traceparent } })
    expect(received[0]?.["traceparent"]).toBe(traceparent)
  })

  test("an instrumentation of fetch adds nothing of its own", async () => {
    // What instrumentations of fetch do when it is called.
    const { fetch } = globalThis
    globalThis.fetch = async (...call) => {
      trace.getTracer("instrumentation").startSpan("fetch").end()
      return await fetch(...call)
    }
    await callApi(step, { url }).finally(() => {
      globalThis.fetch = fetch
    })
    expect(tracing.spans().map(({ name }) => name)).toEqual(["GET"])
  })

  test("without an SDK no header is added", async () => {
    tracing.stop()
    await callApi(step, { url })
    expect(received[0]).not.toHaveProperty("traceparent")
  })
})
