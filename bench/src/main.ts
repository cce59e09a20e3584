import { runBench } from "./run-bench.ts"
import { parseOptions, USAGE } from "./options.ts"

try {
  await runBench(parseOptions(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${USAGE}`)
  process.exitCode = 1
}
