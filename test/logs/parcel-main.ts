import { createLogger, createTasker, isTaskerError } from "@tasker/engine"
import type { ParcelCommand, ParcelMessage } from "./parcel-messages.ts"
import { parcelWorkflows } from "./parcel-workflows.ts"

// A process that creates tasks or runs them, as a test tells it, and logs to its standard output.

const workflows = parcelWorkflows({
  notify: async ({ correlationId }) => {
    const { taskId } = await tasker.createTask(workflows.notice, null, { correlationId })
    tell({ event: "created", taskId })
  },
  hold: async ({ taskId, signal }) => {
    tell({ event: "holds", taskId })
    await new Promise<void>((_resolve, reject) => {
      // What it is aborted with is an error of the engine's.
      signal.addEventListener("abort", () => reject(signal.reason as Error))
    })
  },
})
const tasker = await createTasker({
  url: process.argv[2],
  workflows: Object.values(workflows),
  logger: createLogger({ destination: 1, level: "debug" }),
})
// Only the test sends any.
process.on("message", (message) => void obey(message as ParcelCommand).then(tell))
// A test that ended without us must not leave us behind.
process.once("disconnect", () => process.exit())
tell({ event: "ready" })

async function obey(command: ParcelCommand): Promise<ParcelMessage> {
  switch (command.do) {
    case "work":
      // Of one lane, whose answers come in the order of what happened.
      await tasker.startWorker({ name: command.name, lanes: 1, leaseMs: 1_000, pollMs: 100 })
      break
    case "create": {
      const { workflow, correlationId } = command
      const { taskId } =
        workflow === "parcel"
          ? await tasker.createTask(workflows.parcel, null, { correlationId })
          : await tasker.createTask(workflows.held, null, { correlationId })
      return { event: "done", taskId }
    }
    case "await":
      await tasker.waitForTask(command.taskId).catch((error: unknown) => {
        if (!isTaskerError(error, "TASKER_TASK_CANCELLED")) throw error
      })
      break
    case "pause":
      await tasker.pauseTask(command.taskId)
      break
    case "resume":
      await tasker.resumeTask(command.taskId)
      break
    case "cancel":
      await tasker.cancelTask(command.taskId, { by: "ann" })
      break
    case "close":
      await tasker.close({ timeoutMs: 1_000 })
      setImmediate(() => process.disconnect())
  }
  return { event: "done" }
}

function tell(message: ParcelMessage): void {
  if (process.connected) process.send?.(message)
}
