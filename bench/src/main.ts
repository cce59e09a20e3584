import { type BenchOptions, parseOptions, USAGE } from "./options.ts"
import { runBench } from "./run-bench.ts"

const options = readOptions()
if (options?.isHelp === true) process.stdout.write(USAGE)
else if (options !== undefined) await runBench(options)

function readOptions(): BenchOptions | undefined {
  try {
    return parseOptions(process.argv.slice(2))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    process.exitCode = 2
    return undefined
  }
}
