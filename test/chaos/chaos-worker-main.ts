import { createTasker, type Logger } from "@tasker/engine"
import pg from "pg"
import type { ChaosMessage, ChaosWorkerOptions } from "./chaos-messages.ts"
import { type ChaosResult, type ChaosStep, chaosWorkflows } from "./chaos-workflows.ts"

// A worker process for tests to kill, freeze and stop.

// The test that started this process wrote them.
const options = JSON.parse(process.argv[2] ?? "{}") as ChaosWorkerOptions
let release: () => void = () => {}
const released = new Promise<void>((resolve) => {
  release = resolve
})

const tasker = await createTasker({
  url: options.url,
  workflows: Object.values(chaosWorkflows({ work, gate })),
  logger: errorLogger(),
})
if (options.reportsRuns) {
  tasker.events.on("step.completed", ({ payload }) =>
    tell({ event: "completed", taskId: payload.taskId, step: payload.step }),
  )
  tasker.events.on("task.completed", ({ payload }) => tell({ event: "completed", taskId: payload.taskId, step: null }))
}
process.once("SIGTERM", () => void stop())
// The only message that there is: "release".
process.on("message", () => release())
// A test that ended without us must not leave us behind.
process.once("disconnect", () => process.exit())
if (options.subscribes) await subscribe()
else await tasker.startWorker({ name: options.name, leaseMs: options.leaseMs, pollMs: 200 })
tell({ event: "ready" })

async function work(step: ChaosStep): Promise<ChaosResult> {
  await new Promise((resolve) => setTimeout(resolve, Math.random() * options.stepMs))
  return resultOf(step)
}

async function gate(step: ChaosStep): Promise<ChaosResult> {
  tell({ event: "started", taskId: step.taskId, step: step.stepName, attempt: step.attempt })
  await new Promise<void>((resolve, reject) => {
    // What it is aborted with is an error of the engine's.
    step.signal.addEventListener("abort", () => reject(step.signal.reason as Error))
    void released.then(resolve)
  })
  return resultOf(step)
}

function resultOf({ taskId, stepName, attempt }: ChaosStep): ChaosResult {
  if (options.reportsRuns) tell({ event: "ran", taskId, step: stepName, attempt })
  return { by: options.name, attempt }
}

/** Writes each event of a task into a table. */
async function subscribe(): Promise<void> {
  const pool = new pg.Pool({ connectionString: options.url, max: 1 })
  const { leaseMs } = options
  await tasker.events.subscribe(
    "audit",
    {
      "task.*": async ({ name, payload }) => {
        const values = ["taskId" in payload ? payload.taskId : null, name, process.pid]
        await pool.query("insert into chaos_handled (task_id, event, pid) values ($1, $2, $3)", values)
      },
    },
    { start: "beginning", leaseMs, pollMs: 200 },
  )
}

async function stop(): Promise<void> {
  await tasker.close({ timeoutMs: options.stopMs })
  process.disconnect()
}

function tell(message: ChaosMessage): void {
  if (process.connected) process.send?.(message)
}

function errorLogger(): Logger {
  const write = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void process.stderr.write(
      `${new Date().toISOString()} ${options.name} ${level} ${message} ${JSON.stringify(fields)}\n`,
    )
  return {
    debug: () => {},
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    isLevelEnabled: (level) => level !== "debug",
  }
}
