import { fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { parseExposition, type ScrapedMetric } from "./test-exposition.ts"

export interface TestWorkerOptions {
  readonly url: string
  readonly name: string
}

export type TestWorkerMessage = { readonly event: "ready"; readonly port: number } | { readonly event: "waiting" }

/** A process with a worker, whose metrics can be scraped. */
export interface TestWorkerProcess {
  /** `host:port` */
  readonly address: string
  scrape(): Promise<readonly ScrapedMetric[]>
  /** What it answers, as text. */
  text(): Promise<string>
  /** Settles when a handler of its waits for `release`. */
  readonly waiting: Promise<void>
  /** Lets handlers that wait go on. */
  release(): void
  signal(signal: NodeJS.Signals): void
  /** Stops it, unless it is dead. */
  stop(): Promise<void>
}

const MAIN = fileURLToPath(new URL("../../dist/metrics/test-worker-main.js", import.meta.url))

/** Starts a worker process, as `npm test` has built it. */
export async function startTestWorker(options: TestWorkerOptions): Promise<TestWorkerProcess> {
  const child = fork(MAIN, [JSON.stringify(options)], { stdio: ["ignore", "ignore", "pipe", "ipc"], execArgv: [] })
  let log = ""
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (log += text))
  const ended = once(child, "exit")
  const told = <Event extends TestWorkerMessage["event"]>(event: Event) =>
    new Promise<Extract<TestWorkerMessage, { event: Event }>>((resolve, reject) => {
      child.on("message", (message) => {
        // Only `tell` in test-worker-main.ts sends any; and the event tells which kind it is.
        const known = message as TestWorkerMessage
        if (known.event === event) resolve(known as Extract<TestWorkerMessage, { event: Event }>)
      })
      void ended.then(() => reject(new Error(`worker ${options.name} ended before "${event}":\n${log}`)))
    })
  const waiting = told("waiting").then(() => {})
  // Not every test lets a handler wait.
  waiting.catch(() => {})
  const { port } = await told("ready")
  const address = `127.0.0.1:${port}`
  const text = async () => await (await fetch(`http://${address}/metrics`)).text()
  return {
    address,
    text,
    scrape: async () => parseExposition(await text()),
    waiting,
    release: () => void child.send("release"),
    signal: (signal) => void child.kill(signal),
    async stop() {
      if (child.connected) child.send("stop")
      await ended
    },
  }
}
