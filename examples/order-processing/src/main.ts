import { isTaskerError } from "@tasker/engine"
import { runDemo } from "./demo.ts"

const interrupted = new AbortController()
// `once`: a second Ctrl-C ends the process without waiting for anything.
process.once("SIGINT", () => interrupted.abort())
process.once("SIGTERM", () => interrupted.abort())

try {
  const areAllComplete = await runDemo({
    databaseUrl: process.env["DATABASE_URL"],
    shopUrl: process.env["SHOP_URL"],
    isColourful: process.stdout.isTTY && process.stdout.hasColors(),
    print: (line) => console.log(line),
    signal: interrupted.signal,
  })
  process.exitCode = areAllComplete ? 0 : 1
} catch (error) {
  process.exitCode = interrupted.signal.aborted ? 130 : 1
  if (interrupted.signal.aborted) console.log("\nStopped. Orders that are not done go on at the next start.")
  else if (isTaskerError(error)) console.error([error.message, error.hint].filter(Boolean).join("\n"))
  else throw error
}
