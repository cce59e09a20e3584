import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import type { ParcelCommand, ParcelMessage } from "./parcel-messages.ts"

export type LogLine = Readonly<Record<string, unknown>>

export interface ParcelProcess {
  /** Tells it what to do, and waits until it has; gives the id of a task that it created. */
  tell(command: ParcelCommand): Promise<string>
  /** Waits until a handler tells that it has created a task, or holds one; gives the task's id. */
  told(event: "created" | "holds"): Promise<string>
  kill(): Promise<void>
  close(): Promise<void>
  /** What it logged; all of it once it has ended. */
  lines(): readonly LogLine[]
}

const MAIN = fileURLToPath(new URL("../dist/logs/parcel-main.js", import.meta.url))

/** Starts a process, as `npm test` has built it. */
export async function startParcelProcess(url: string): Promise<ParcelProcess> {
  const child = fork(MAIN, [url], { stdio: ["ignore", "pipe", "inherit", "ipc"], execArgv: [] })
  const closed = once(child, "close")
  let log = ""
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (log += text))
  const messages: ParcelMessage[] = []
  let look: () => void = () => {}
  child.on("message", (message) => {
    messages.push(message as ParcelMessage) // only parcel-main.ts sends any
    look()
  })

  async function next(event: ParcelMessage["event"]): Promise<string> {
    for (;;) {
      const index = messages.findIndex((message) => message.event === event)
      const message = index === -1 ? undefined : messages.splice(index, 1)[0]
      if (message !== undefined) return ("taskId" in message ? message.taskId : undefined) ?? ""
      const arrived = new Promise<void>((resolve) => {
        look = resolve
      })
      const ended = closed.then(() => Promise.reject(new Error(`the process ended before "${event}":\n${log}`)))
      await Promise.race([arrived, ended])
    }
  }

  await next("ready")
  return {
    tell: async (command) => {
      child.send(command)
      return await next("done")
    },
    told: next,
    kill: async () => {
      child.kill("SIGKILL")
      await closed
    },
    close: async () => {
      if (child.connected) child.send({ do: "close" } satisfies ParcelCommand)
      await closed
    },
    lines: () =>
      log
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as LogLine), // createLogger writes objects
  }
}
