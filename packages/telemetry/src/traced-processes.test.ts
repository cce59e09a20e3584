import { fork, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { createTasker, silentLogger } from "@tasker/engine"
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest"
import type { ReceivedSpan } from "./test-otlp-decoder.ts"
import { type OtlpReceiver, startOtlpReceiver } from "./test-otlp-receiver.ts"

declare module "vitest" {
  export interface ProvidedContext {
    /** Given by the engine's test-setup.ts. */
    readonly testBrokerUrl: string
  }
}

const MAIN = fileURLToPath(new URL("../dist/test-traced-main.js", import.meta.url))

/** A shop whose answers wait until both branches of the order have called. */
interface Shop {
  readonly url: string
  readonly calls: { readonly path: string; readonly headers: IncomingHttpHeaders }[]
  close(): void
}

async function startShop(): Promise<Shop> {
  const calls: { path: string; headers: IncomingHttpHeaders }[] = []
  const waiting: ServerResponse[] = []
  const server = createServer((request, response) => {
    calls.push({ path: new URL(request.url ?? "", "http://shop").pathname, headers: request.headers })
    waiting.push(response)
    if (waiting.length === 2) for (const each of waiting) each.end("{}")
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  // It listens on a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    calls,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function newDatabase(): Promise<string> {
  const response = await fetch(`${inject("testBrokerUrl")}/18`)
  if (!response.ok) throw new Error(`no database: ${await response.text()}`)
  return await response.text()
}

describe("a diamond that two worker processes run, and a third process has created", () => {
  let receiver: OtlpReceiver
  let shop: Shop
  let orderId: string
  let invoiceId: string
  const processes: ChildProcess[] = []

  beforeAll(async () => {
    const url = await newDatabase()
    receiver = await startOtlpReceiver()
    shop = await startShop()
    const start = async (role: string): Promise<string> => {
      const child = fork(MAIN, [role, url, receiver.url, shop.url])
      processes.push(child)
      const [said] = (await once(child, "message")) as [string]
      return said
    }
    orderId = await start("creator")
    await Promise.all([start("worker-a"), start("worker-b")])
    const tasker = await createTasker({ url, logger: silentLogger })
    try {
      await tasker.waitForTask(orderId)
      const sent = (await tasker.getSteps(orderId)).find(({ name }) => name === "send")
      // What the step returns.
      invoiceId = sent?.result as string
      await tasker.waitForTask(invoiceId)
    } finally {
      await tasker.close()
    }
    await Promise.all(
      processes.map(async (child) => {
        child.send("end")
        await once(child, "exit")
      }),
    )
  }, 120_000)

  afterAll(async () => {
    for (const child of processes) child.kill("SIGKILL")
    shop.close()
    await receiver.close()
  })

  const named = (name: string, isIt: (span: ReceivedSpan) => boolean = () => true): ReceivedSpan => {
    const found = receiver.spans.filter((span) => span.name === name && isIt(span))
    if (found.length === 1 && found[0] !== undefined) return found[0]
    throw new Error(`expected one span "${name}", got ${found.length}`)
  }
  const attempt = (step: string, number: bigint) =>
    named(`tasker.step ${step}`, ({ attributes }) => attributes["tasker.step.attempt"] === number)
  const ofOrder = () => receiver.spans.filter(({ traceId }) => traceId === named("POST /orders").traceId)

  test("is one trace, complete, each span once, and nothing else arrived", () => {
    expect(
      ofOrder()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual([
      "GET",
      "GET",
      "POST /orders",
      "tasker.step charge",
      "tasker.step charge",
      "tasker.step check",
      "tasker.step pack",
      "tasker.step send",
      "tasker.task order",
      "tasker.task.create order",
      "wrap it up",
    ])
    const others = receiver.spans.filter((span) => !ofOrder().includes(span))
    expect(others.map(({ name }) => name).toSorted()).toEqual([
      "tasker.step print",
      "tasker.task invoice",
      "tasker.task.create invoice",
    ])
    expect(new Set(others.map(({ traceId }) => traceId)).size).toBe(1)
    expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(receiver.spans.length)
    expect(receiver.spans.map(({ droppedCount }) => droppedCount)).toEqual(receiver.spans.map(() => 0))
  })

  test("the processes share it: the branches ran in different ones", () => {
    const service = ({ resource }: ReceivedSpan) => resource["service.name"]
    expect(service(named("tasker.task.create order"))).toBe("creator")
    const branches = [service(attempt("charge", 1n)), service(named("tasker.step pack"))]
    expect(new Set(branches)).toEqual(new Set(["worker-a", "worker-b"]))
  })

  test("steps and the task are below the span that created it; attempts are siblings", () => {
    const creation = named("tasker.task.create order")
    expect(named("POST /orders").parentSpanId).toBe("")
    expect(creation).toMatchObject({ kind: "producer", parentSpanId: named("POST /orders").spanId })
    const children = [
      named("tasker.step check"),
      attempt("charge", 1n),
      attempt("charge", 2n),
      named("tasker.step pack"),
      named("tasker.step send"),
    ]
    for (const span of children) expect(span).toMatchObject({ kind: "consumer", parentSpanId: creation.spanId })
    expect(named("tasker.task order")).toMatchObject({ kind: "internal", parentSpanId: creation.spanId })
    expect(named("wrap it up").parentSpanId).toBe(named("tasker.step pack").spanId)
  })

  test("times are those of what happened", () => {
    const [check, first, second] = [named("tasker.step check"), attempt("charge", 1n), attempt("charge", 2n)]
    const [send, task] = [named("tasker.step send"), named("tasker.task order")]
    for (const { name, startNs, endNs } of receiver.spans) expect(endNs >= startNs, name).toBe(true)
    const order: readonly (readonly [bigint, bigint])[] = [
      [named("POST /orders").startNs, task.startNs],
      [task.startNs, check.startNs],
      [check.endNs, first.startNs],
      [check.endNs, named("tasker.step pack").startNs],
      [named("wrap it up").endNs, named("tasker.step pack").endNs],
      [first.endNs, second.startNs],
      [second.endNs, send.startNs],
      [send.endNs, task.endNs],
    ]
    // The clocks are the same, but each is read to the millisecond at some place.
    for (const [before, after] of order) expect(Number(after - before) / 1e6).toBeGreaterThan(-3)
    // Both were in the shop at the same time.
    expect(first.startNs < named("tasker.step pack").endNs && named("tasker.step pack").startNs < first.endNs).toBe(
      true,
    )
    expect(Number(second.startNs - first.endNs) / 1e6).toBeGreaterThan(38)
  })

  test("the failed attempt says why, and how long the next one waited, without the secret", () => {
    const first = attempt("charge", 1n)
    expect(first.status).toEqual({ code: "error", message: "the bank says no: password=[REDACTED]" })
    expect(first.events).toMatchObject([
      { name: "exception", attributes: { "exception.type": "Error", "exception.message": first.status.message } },
      { name: "tasker.retry_scheduled", attributes: { "tasker.retry.delay_ms": 40n } },
    ])
    expect(first.attributes).toMatchObject({ "error.type": "BANK_BUSY", "tasker.step.outcome": "waiting_for_retry" })
    const due = Date.parse(String(first.events[1]?.attributes["tasker.retry.due_at"]))
    expect(due).toBeGreaterThanOrEqual(Number(first.endNs / 1_000_000n) + 40)
    expect(attempt("charge", 2n)).toMatchObject({
      status: { code: "unset", message: "" },
      attributes: { "tasker.step.outcome": "complete", "tasker.step.max_attempts": 3n },
    })
    const whole = JSON.stringify(receiver.spans, (_key, value: unknown) =>
      typeof value === "bigint" ? String(value) : value,
    )
    expect(whole).toContain("the bank says no")
    expect(whole).not.toContain("hunter2")
  })

  test("attributes say what each span is about, by their types", () => {
    const second = attempt("charge", 2n)
    expect(second.attributes).toEqual({
      "tasker.workflow.namespace": "shop",
      "tasker.workflow.name": "order",
      "tasker.workflow.version": "1.0.0",
      "tasker.task.id": orderId,
      "tasker.task.correlation_id": "req-91",
      "tasker.step.name": "charge",
      "tasker.step.attempt": 2n,
      "tasker.step.max_attempts": 3n,
      "tasker.step.queue": "shop",
      "tasker.step.wait_ms": expect.any(BigInt),
      "tasker.step.outcome": "complete",
      "tasker.worker.id": expect.any(BigInt),
    })
    expect(named("tasker.task order")).toMatchObject({
      status: { code: "unset" },
      attributes: {
        "tasker.task.outcome": "complete",
        "tasker.task.id": orderId,
        "tasker.task.correlation_id": "req-91",
      },
    })
    expect(receiver.spans.map(({ scope }) => scope).filter((scope) => scope !== "@tasker/engine")).toEqual([
      "shop",
      "shop",
    ])
  })

  test("the services that handlers call are told which span it is", () => {
    const calls = receiver.spans.filter(({ name }) => name === "GET")
    const parents = new Set([attempt("charge", 1n).spanId, named("wrap it up").spanId])
    expect(new Set(calls.map(({ parentSpanId }) => parentSpanId))).toEqual(parents)
    expect(shop.calls).toHaveLength(2)
    for (const { path, headers } of shop.calls) {
      const span = calls.find(({ attributes }) => String(attributes["url.full"]).endsWith(path))
      expect(span).toMatchObject({ kind: "client", attributes: { "http.response.status_code": 200n } })
      expect(headers["traceparent"]).toBe(`00-${span?.traceId}-${span?.spanId}-01`)
    }
  })

  test("the task that a step created has a trace of its own, linked both ways", () => {
    const [send, creation] = [named("tasker.step send"), named("tasker.task.create invoice")]
    expect(creation).toMatchObject({
      parentSpanId: "",
      links: [{ traceId: send.traceId, spanId: send.spanId }],
      attributes: {
        "tasker.task.id": invoiceId,
        "tasker.parent.task.id": orderId,
        "tasker.parent.step.name": "send",
      },
    })
    expect(send.links).toEqual([{ traceId: creation.traceId, spanId: creation.spanId }])
    expect(named("tasker.step print").parentSpanId).toBe(creation.spanId)
  })
})
