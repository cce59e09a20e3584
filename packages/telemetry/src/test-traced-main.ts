import { trace } from "@opentelemetry/api"
import { callApi, createTasker, defineWorkflow, silentLogger, type Tasker } from "@tasker/engine"
import { startTelemetry } from "./start-telemetry.ts"

// A process that a test starts: it creates a task, or runs a worker, and sends its spans to the test.

const [role = "", url = "", collectorUrl = "", shopUrl = ""] = process.argv.slice(2)

const telemetry = startTelemetry({
  serviceName: role,
  otlp: { url: collectorUrl },
  sampling: { maxTracesPerSecond: null },
})
const tracer = trace.getTracer("shop")

const invoice = defineWorkflow<{ readonly of: string }>({ namespace: "shop", name: "invoice", version: "1.0.0" }).step(
  "print",
  { handler: ({ input }) => input.of },
)

const order = defineWorkflow({ namespace: "shop", name: "order", version: "1.0.0" })
  .step("check", { handler: () => "checked" })
  .step("charge", {
    dependsOn: ["check"],
    maxAttempts: 3,
    backoff: { baseMs: 40, factor: 1, jitter: 0 },
    handler: async (step) => {
      // Answered when the other branch calls too: so both run at once, each in a process of its own.
      if (step.attempt === 1) await callApi(step, { baseUrl: shopUrl, url: "/meet/charge" })
      if (step.attempt === 1)
        throw Object.assign(new Error("the bank says no: password=hunter2"), { code: "BANK_BUSY" })
      return "paid"
    },
  })
  .step("pack", {
    dependsOn: ["check"],
    handler: async (step) =>
      await tracer.startActiveSpan("wrap it up", async (span) => {
        await callApi(step, { baseUrl: shopUrl, url: "/meet/pack", query: { key: "hunter2" } })
        span.end()
        return "packed"
      }),
  })
  .step("send", {
    dependsOn: ["charge", "pack"],
    handler: async ({ taskId }) => (await tasker.createTask(invoice, { of: taskId })).taskId,
  })

const tasker: Tasker = await createTasker({ url, workflows: [order, invoice], logger: silentLogger })
process.once("message", () => void end())
if (role === "creator") {
  await tracer.startActiveSpan("POST /orders", async (span) => {
    const task = await tasker.createTask(order, null, { correlationId: "req-91" })
    span.end()
    process.send?.(task.taskId)
  })
} else {
  // One step at a time, so that the branches need both workers.
  await tasker.startWorker({ concurrency: 1, lanes: 1, pollMs: 50, name: role })
  process.send?.("started")
}

async function end(): Promise<void> {
  await tasker.close()
  await telemetry.shutdown()
  process.disconnect()
}
