import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

/** A node process that a test has started. */
export interface TestProcess {
  readonly pid: number
  /** Waits for a line that it prints and that starts so; gives the rest of the line. */
  line(start: string): Promise<string>
  kill(signal: NodeJS.Signals): void
  /** Waits for its end; gives its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

/**
 * Starts a process that runs a piece of JavaScript with `connect` in reach, as built in `dist/`.
 *
 * @param options.uid runs it as another user; only root can.
 */
export function startTestProcess(code: string, options: { readonly uid?: number } = {}): TestProcess {
  const connect = fileURLToPath(new URL("../../dist/database/connect.js", import.meta.url))
  const program = `import { connect } from ${JSON.stringify(connect)}\n${code}`
  const identity = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    ...identity,
    stdio: ["ignore", "pipe", "pipe"],
  })
  let output = ""
  let errors = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text))
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text))
  let isOver = false
  const ended = once(child, "close").then((result: unknown[]) => {
    isOver = true
    // What the event gives: [code, signal], one of them null.
    return (result[0] ?? result[1]) as number | string
  })
  return {
    pid: child.pid ?? 0,
    line: async (start) => {
      for (;;) {
        const found = output
          .split("\n")
          .slice(0, -1)
          .find((line) => line.startsWith(start))
        if (found !== undefined) return found.slice(start.length)
        if (isOver) throw new Error(`the process ended without printing "${start}": ${output}${errors}`)
        await Promise.race([once(child.stdout, "data"), ended])
      }
    },
    kill: (signal) => child.kill(signal),
    ended,
  }
}
