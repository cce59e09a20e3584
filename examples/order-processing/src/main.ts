import { isTaskerError } from "@tasker/engine"
import { runDemo } from "./demo.ts"

const interrupted = new AbortController()
const stop = (): void => {
  console.log("\nStopping when the steps that run have ended. Ctrl-C again stops at once.")
  interrupted.abort()
}
// `once`: a second signal does what it always does.
process.once("SIGINT", stop)
process.once("SIGTERM", stop)

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
  if (interrupted.signal.aborted) console.log("Stopped. Orders that are not done go on at the next start.")
  else if (isTaskerError(error)) console.error([error.message, error.hint].filter(Boolean).join("\n"))
  else throw error
}
