import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createTasker, silentLogger } from "@tasker/engine"
import { createMetrics } from "./create-metrics.ts"
import type { TestWorkerMessage, TestWorkerOptions } from "./test-worker-process.ts"
import { testWorkflows } from "./test-workflows.ts"

// A worker process for tests to scrape, freeze and kill.

// The test that started this process wrote them.
const options = JSON.parse(process.argv[2] ?? "{}") as TestWorkerOptions
let release: () => void = () => {}
const released = new Promise<void>((resolve) => {
  release = resolve
})

const workflows = testWorkflows({
  wait: async () => {
    tell({ event: "waiting" })
    await released
  },
})
const tasker = await createTasker({ url: options.url, workflows: Object.values(workflows), logger: silentLogger })
const metrics = createMetrics(tasker)
const server = createServer((request, response) => void metrics.handle(request, response))
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
process.on("message", (message) => (message === "release" ? release() : void stop()))
// A test that ended without us must not leave us behind.
process.once("disconnect", () => process.exit())
await tasker.startWorker({ name: options.name, concurrency: 4, leaseMs: 2_000, pollMs: 100 })
// A server that listens on a port has an address of this form.
tell({ event: "ready", port: (server.address() as AddressInfo).port })

async function stop(): Promise<void> {
  await tasker.close({ timeoutMs: 1_000 })
  process.disconnect()
}

function tell(message: TestWorkerMessage): void {
  if (process.connected) process.send?.(message)
}
