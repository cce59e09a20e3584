import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** How long an example may run on a busy machine. */
export const EXAMPLE_TIMEOUT_MS = 60_000

/** A program of `examples/` that runs. */
export interface RunningExample {
  /** Resolves once it has printed something that matches. */
  printed(pattern: RegExp): Promise<void>
  kill(signal: NodeJS.Signals): void
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>
}

/** Starts an example's `dist/main.js`, which `npm test` builds first, as its user would. */
export function runExample(name: string, databaseUrl: string): RunningExample {
  const main = fileURLToPath(new URL(`../../examples/${name}/dist/main.js`, import.meta.url))
  const env = { ...process.env, DATABASE_URL: databaseUrl, SHOP_URL: undefined, NO_COLOR: "1", FORCE_COLOR: undefined }
  // One that hangs is killed, so that its test fails and nothing stays behind.
  const limits = { timeout: EXAMPLE_TIMEOUT_MS, killSignal: "SIGKILL" } as const
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"], ...limits })
  let output = ""
  let errors = ""
  const listeners = new Set<() => void>()
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
    for (const listener of listeners) listener()
  })
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text))
  const ended = new Promise<{ code: number | null; output: string; errors: string }>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, output, errors }))
  })
  return {
    ended,
    kill: (signal) => void child.kill(signal),
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(output)) resolve()
        }
        listeners.add(look)
        look()
        // Has no effect when it has resolved.
        void ended.then(() => reject(new Error(`it ended before it printed ${pattern}:\n${output}${errors}`)))
      }),
  }
}
