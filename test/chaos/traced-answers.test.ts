import { context, trace } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { createTasker, silentLogger, type Tasker } from "@tasker/engine"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type ChaosServer, startChaosServer } from "./chaos-server.ts"
import { type ChaosStep, chaosWorkflows } from "./chaos-workflows.ts"
import { openCuttingProxy } from "./cutting-proxy.ts"
import { seededRandom } from "./seeded-random.ts"
import { until } from "./until.ts"

const TASKS = 100

describe("spans of a worker whose answers are lost on their way", () => {
  const exporter = new InMemorySpanExporter()
  let open = 0
  let server: ChaosServer
  let worker: Tasker

  beforeAll(async () => {
    server = await startChaosServer("traced-answers")
    const counting = {
      onStart: () => void (open += 1),
      onEnd: () => void (open -= 1),
      forceFlush: async () => {},
      shutdown: async () => {},
    }
    const spanProcessors = [new SimpleSpanProcessor(exporter), counting]
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }))
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  })

  afterAll(async () => {
    await worker?.close({ timeoutMs: 1_000 })
    await server?.close()
    trace.disable()
    context.disable()
  })

  it("tell each end of a step and of a task once, heard or unheard", async () => {
    const random = seededRandom("traced answers")
    const proxy = await openCuttingProxy(server.url)
    const work = async ({ attempt }: ChaosStep) => ({ by: "here", attempt })
    const { order } = chaosWorkflows({ work, gate: work })
    worker = await createTasker({ url: proxy.url, workflows: [order], logger: silentLogger })
    await worker.startWorker({ concurrency: 10, leaseMs: 600_000 })
    const tasks = await server.tasker.createTasks(
      server.workflows.order,
      Array.from({ length: TASKS }, (_task, number) => ({ input: { number } })),
    )
    proxy.cutWhen(() => random.next() < 0.05)
    const isOver = async () => (await server.tasker.countTasks()).states.complete === TASKS
    await until("all tasks ended", 60_000, isOver).finally(() => proxy.cutWhen(() => false))
    const done = () =>
      exporter.getFinishedSpans().flatMap(({ attributes }) => {
        const isDone = (attributes["tasker.step.outcome"] ?? attributes["tasker.task.outcome"]) === "complete"
        const what = attributes["tasker.step.name"] ?? "the task"
        return isDone ? [`${String(attributes["tasker.task.id"])} ${String(what)}`] : []
      })
    const steps = order.definition.steps.map(({ name }) => name)
    const expected = tasks.flatMap(({ taskId }) => [...steps, "the task"].map((what) => `${taskId} ${what}`))
    // A worker that has lost an answer finds out what came of its call, and the task may have ended meanwhile.
    await until("all ends were told", 20_000, () => done().length >= expected.length)
    await worker.close()
    await proxy.close()

    expect(proxy.cutCount()).toBeGreaterThanOrEqual(3)
    expect(done().toSorted()).toEqual(expected.toSorted())
    expect(open).toBe(0)
  }, 90_000)
})
