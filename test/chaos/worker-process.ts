import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect } from "vitest"
import type { ChaosMessage, ChaosWorkerOptions } from "./chaos-messages.ts"
import { within } from "./until.ts"

/** A process that runs a worker. */
export interface WorkerProcess {
  readonly pid: number
  readonly name: string
  readonly isRunning: () => boolean
  /** How it ended: its exit code, or the signal that killed it. */
  readonly ended: Promise<number | NodeJS.Signals>
  kill(signal: NodeJS.Signals): void
  /** Lets the steps of `gate` end, those that run and those that will. */
  release(): void
  /** Resolves when it tells so, or has told so already. Rejects when it ends before. */
  told<Event extends ChaosMessage["event"]>(
    event: Event,
    matches?: (message: Extract<ChaosMessage, { event: Event }>) => boolean,
  ): Promise<Extract<ChaosMessage, { event: Event }>>
  /** All that it told. */
  readonly messages: readonly ChaosMessage[]
  /** What it logged. */
  readonly log: () => string
}

const MAIN = fileURLToPath(new URL("../dist/chaos/chaos-worker-main.js", import.meta.url))

const DEFAULTS = { leaseMs: 1_000, stepMs: 15, reportsRuns: false, subscribes: false, stopMs: 5_000 }

/** Starts a worker process, as `npm test` has built it. Resolves once its worker runs. */
export async function startWorkerProcess(
  given: Pick<ChaosWorkerOptions, "url" | "name"> & Partial<ChaosWorkerOptions>,
): Promise<WorkerProcess> {
  const options: ChaosWorkerOptions = { ...DEFAULTS, ...given }
  const child = fork(MAIN, [JSON.stringify(options)], { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] })
  const messages: ChaosMessage[] = []
  const listeners = new Set<() => void>()
  let log = ""
  let isRunning = true
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text))
  child.on("message", (message) => {
    // Only `tell` in chaos-worker-main.ts sends any.
    messages.push(message as ChaosMessage)
    for (const listener of listeners) listener()
  })
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("exit", (code, signal) => {
      isRunning = false
      resolve(code ?? signal ?? "SIGKILL")
    })
  })
  const worker: WorkerProcess = {
    pid: child.pid ?? 0,
    name: options.name,
    isRunning: () => isRunning,
    ended,
    kill: (signal) => void child.kill(signal),
    release: () => void child.send("release"),
    told: (event, matches = () => true) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = messages.find((message): message is Extract<ChaosMessage, { event: typeof event }> => {
            // The event tells the kind of message; the compiler does not see that for a type parameter.
            return message.event === event && matches(message as Extract<ChaosMessage, { event: typeof event }>)
          })
          if (found === undefined) return
          listeners.delete(look)
          resolve(found)
        }
        listeners.add(look)
        look()
        void ended.then((end) =>
          reject(new Error(`worker ${options.name} ended with ${end} before "${event}":\n${log}`)),
        )
      }),
    messages,
    log: () => log,
  }
  await worker.told("ready")
  return worker
}

/** Stops workers by SIGTERM, and expects that they end well. */
export async function stopWorkers(workers: readonly WorkerProcess[]): Promise<void> {
  for (const worker of workers) worker.kill("SIGTERM")
  const ends = await within("the workers stopped", 10_000, Promise.all(workers.map((worker) => worker.ended)))
  expect(ends, workers.map((worker) => worker.log()).join("\n")).toEqual(workers.map(() => 0))
}
