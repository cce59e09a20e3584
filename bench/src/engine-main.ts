import { type AnyWorkflow, createTasker, type Tasker, type Worker } from "@tasker/engine"
import { countRoundTrips } from "./measure/round-trips.ts"
import { readUsage } from "./measure/usage.ts"
import type { EngineApi, EngineEvent, ProcessOptions } from "./processes/apis.ts"
import { sendEvent, serveCalls } from "./processes/calls.ts"
import { observe, type Observers } from "./processes/observe.ts"
import { findWorkload, workflowOf } from "./workloads.ts"

// A process that runs the engine, as its users do: through the public surface alone.

const TASKS_PER_CALL = 1_000
/** How often this process says how far it is. */
const REPORT_MS = 5

interface Opened {
  readonly tasker: Tasker
  readonly workflow: AnyWorkflow
  readonly options: ProcessOptions
}

let opened: Opened | undefined
let observers: Observers | undefined
let worker: Worker | undefined
let reporter: NodeJS.Timeout | undefined
let lastSteps = 0
/** The tasks whose last step ran most recently: as many as may be unrecorded. */
const recent = new Set<string>()

countRoundTrips()
serveCalls<EngineApi>({ open, create, run, settle, stop, latencies, usage: readUsage }, async () => {
  await opened?.tasker.close({ timeoutMs: 0 })
  await observers?.end()
})

async function open(options: ProcessOptions): Promise<void> {
  const workflow = workflowOf(findWorkload(options.workload), (taskId) => {
    lastSteps++
    recent.add(taskId)
    if (recent.size > options.concurrency) recent.delete(first(recent))
  })
  if (options.observability !== undefined) observers = observe(options.observability)
  const tasker = await createTasker({ url: options.url, workflows: [workflow], logger: observers?.logger })
  observers?.watch(tasker)
  opened = { tasker, workflow, options }
}

async function create({ tasks, runAt }: { readonly tasks: number; readonly runAt?: string }): Promise<number> {
  const { tasker, workflow } = known()
  const later = runAt === undefined ? {} : { runAt: new Date(runAt) }
  const startedAt = performance.now()
  for (let from = 0; from < tasks; from += TASKS_PER_CALL) {
    const length = Math.min(TASKS_PER_CALL, tasks - from)
    await tasker.createTasks(
      workflow,
      Array.from({ length }, (_task, index) => ({ input: { number: from + index }, ...later })),
    )
  }
  return performance.now() - startedAt
}

async function run(): Promise<void> {
  const { tasker, options } = known()
  lastSteps = 0
  recent.clear()
  let reported = 0
  reporter = setInterval(() => {
    if (lastSteps === reported) return
    reported = lastSteps
    sendEvent({ lastSteps } satisfies EngineEvent)
  }, REPORT_MS)
  worker = await tasker.startWorker({ concurrency: options.concurrency, lanes: options.lanes })
}

async function settle(): Promise<void> {
  clearInterval(reporter)
  const { tasker } = known()
  await Promise.all([...recent].map((taskId) => tasker.waitForTask(taskId)))
}

async function stop(): Promise<void> {
  clearInterval(reporter)
  await worker?.stop()
  worker = undefined
}

async function latencies(samples: number): Promise<readonly number[]> {
  const { tasker, workflow } = known()
  const measured: number[] = []
  for (let sample = 0; sample < samples; sample++) {
    const startedAt = performance.now()
    const task = await tasker.createTask(workflow, { number: sample })
    await tasker.waitForTask(task)
    measured.push(performance.now() - startedAt)
  }
  return measured
}

function known(): Opened {
  if (opened === undefined) throw new Error("open() comes first")
  return opened
}

function first(ids: ReadonlySet<string>): string {
  for (const id of ids) return id
  return ""
}
