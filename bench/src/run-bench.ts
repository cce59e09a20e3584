import { readFile, writeFile } from "node:fs/promises"
import { measureEvents } from "./measure-events.ts"
import { type Flatness, measureFlatness } from "./measure-flatness.ts"
import { measureObservability, type ObservabilityCost } from "./measure-observability.ts"
import { measureWorkload, type WorkloadResult } from "./measure-workload.ts"
import type { BenchOptions } from "./options.ts"
import { readSetUp } from "./report/set-up.ts"
import { partsOf, renderTables } from "./report/table.ts"
import { openServer, type Server } from "./server.ts"

/** Measures what the options say, and prints it. */
export async function runBench(options: BenchOptions): Promise<void> {
  // Standard output is for the result alone when a program reads it.
  const print = (text: string) => void (options.isJson ? process.stderr : process.stdout).write(text)
  const startedAt = performance.now()
  const log = (line: string) =>
    void process.stderr.write(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4)} s  ${line}\n`)
  const server = options.databases.includes("postgres") ? await openServer(options.url, options.flushMs) : undefined
  try {
    const setUp = (await readSetUp(options, server)).map(([name, value]) => `${name.padEnd(13)} ${value}\n`).join("")
    print(`${setUp}\n`)
    const results = await measureWorkloads(options, server, log)
    const flatness = options.hasFlatness && server !== undefined ? await measureBoth(options, server, log) : []
    const costs = server === undefined ? [] : await measureCosts(options, server, log)
    const events = options.observability.length === 0 ? [] : await measureEvents(options.eventsPerRound)
    const tables = renderTables({ results, flatness, costs, events })
    print(`\n${tables}`)
    if (options.isJson) printJson([...results, ...flatness, ...costs, ...events])
    if (options.isWriting) await writeTables(setUp, tables)
  } finally {
    await server?.close()
  }
}

async function measureWorkloads(
  options: BenchOptions,
  server: Server | undefined,
  log: (line: string) => void,
): Promise<readonly WorkloadResult[]> {
  const results: WorkloadResult[] = []
  for (const kind of options.databases) {
    for (const name of options.workloads) {
      for (const workers of options.workersOf(kind, name)) {
        const result = await measureWorkload(name, kind, workers, options, kind === "pglite" ? undefined : server)
        const rate = Math.round(result.stepsPerSecond).toLocaleString("en")
        log(`${name} on ${kind}, ${workers} worker(s): ${rate} steps/s, ${result.ratioToFloor.toFixed(2)} of the floor`)
        results.push(result)
      }
    }
  }
  return results
}

async function measureBoth(
  options: BenchOptions,
  server: Server,
  log: (line: string) => void,
): Promise<readonly Flatness[]> {
  const flatness: Flatness[] = []
  for (const kind of ["finished", "delayed"] as const) {
    const result = await measureFlatness(kind, options, server, log)
    log(`${result.workload} beside ${kind} steps: ${result.ratioToFresh.toFixed(2)} of an empty database`)
    flatness.push(result)
  }
  return flatness
}

async function measureCosts(
  options: BenchOptions,
  server: Server,
  log: (line: string) => void,
): Promise<readonly ObservabilityCost[]> {
  if (options.observability.length === 0 && options.against === undefined) return []
  const cost = await measureObservability(options, server)
  log(`${cost.workload} with ${partsOf(cost)}: ${cost.ratioToPlain.toFixed(2)} of nothing on`)
  return [cost]
}

/** A JSON array, each object on a line of its own. */
function printJson(objects: readonly object[]): void {
  process.stdout.write(`[\n${objects.map((each) => JSON.stringify(each)).join(",\n")}\n]\n`)
}

const README = new URL("../README.md", import.meta.url)
const [BEGIN, END] = ["<!-- results: npm run bench -- --write -->", "<!-- end of results -->"] as const

async function writeTables(setUp: string, tables: string): Promise<void> {
  const text = await readFile(README, "utf8")
  const [before, rest] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (before < 0 || rest < before) throw new Error(`bench/README.md has no "${BEGIN}" before "${END}"`)
  const section = `${BEGIN}\n\n\`\`\`text\n${setUp}\`\`\`\n\n${tables}\n`
  await writeFile(README, text.slice(0, before) + section + text.slice(rest))
}
