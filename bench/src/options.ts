import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { WORKLOADS } from "./workloads.ts"

export type DatabaseKind = "postgres" | "pglite"

/** What of observability is turned on, at its default settings, where its cost is measured. */
export const OBSERVABILITY = ["logs", "metrics", "traces"] as const
export type ObservabilityPart = (typeof OBSERVABILITY)[number]

/** What to measure, and how long. */
export interface BenchOptions {
  readonly isQuick: boolean
  readonly isJson: boolean
  /** Only prints the options. */
  readonly isHelp: boolean
  /** Writes the table into bench/README.md. */
  readonly isWriting: boolean
  /** A PostgreSQL to measure in place of one that is started for it. */
  readonly url: string | undefined
  /** How many milliseconds longer the log takes to reach the disk, as on a slower disk. */
  readonly flushMs: number
  readonly databases: readonly DatabaseKind[]
  readonly workloads: readonly string[]
  /** Numbers of worker processes. */
  readonly workers: readonly number[]
  /** With how many worker processes a workload is measured there. PGlite lives in one; a quick run tries more of them on the first workload alone. */
  readonly workersOf: (database: DatabaseKind, workload: string) => readonly number[]
  readonly hasFlatness: boolean
  /** What is on in the runs that are compared with runs without; nothing: there is no such comparison, but `against` another engine. */
  readonly observability: readonly ObservabilityPart[]
  /** A checkout of this repository, built, whose engine is the one with nothing on; undefined: this one's. */
  readonly against: string | undefined
  /** Steps in flight, over all worker processes; per process there are so many fewer. */
  readonly concurrency: number
  /** Lanes of each worker process. */
  readonly lanes: number
  readonly rounds: number
  /** Steps of one throughput run on PostgreSQL. */
  readonly steps: number
  readonly pgliteSteps: number
  /** Of an idle task, in all rounds together. */
  readonly latencySamples: number
  /** Of each round in which the cost of an event is measured. */
  readonly eventsPerRound: number
  /** Finished steps, and delayed ones, that flatness is measured with. */
  readonly backlog: number
}

const FULL = { rounds: 5, steps: 80_000, "pglite-steps": 12_000, "latency-samples": 300, backlog: 1_000_000 }
const QUICK = { rounds: 2, steps: 4_000, "pglite-steps": 1_200, "latency-samples": 20, backlog: 20_000 }

export const USAGE = `
npm run bench -- [options]
  --quick               small numbers, under a minute; says so
  --json                one object per workload on standard output, everything else on standard error
  --write               puts the table into bench/README.md
  --url URL             a PostgreSQL to measure (a superuser's URL); default: an embedded one of its own
  --flush-ms N          lets every flush of the log take N ms longer, as a slower disk does (commit_delay, up to 100); default 0
  --databases LIST      postgres,pglite
  --workloads LIST      ${WORKLOADS.map(({ name }) => name).join(",")}; or none, for the comparisons below alone
  --workers LIST        worker processes: 1,2
  --no-flatness         leaves the runs with a long history and a long queue out
  --observability LIST  what is on where that is compared with nothing: ${OBSERVABILITY.join(",")}; or none
  --against DIR         where observing is measured, the engine with nothing on is that of another checkout, which is built
  --concurrency N       steps in flight, shared by the worker processes; default 200
  --lanes N             lanes of each worker process; default 2
  --rounds N            default ${FULL.rounds}, quick ${QUICK.rounds}
  --steps N             steps a run; default ${FULL.steps}, quick ${QUICK.steps}
  --pglite-steps N      the same on PGlite; default ${FULL["pglite-steps"]}, quick ${QUICK["pglite-steps"]}
  --latency-samples N   default ${FULL["latency-samples"]}, quick ${QUICK["latency-samples"]}
  --backlog N           default ${FULL.backlog}, quick ${QUICK.backlog}
`

/** Reads the command line. Throws an `Error` that says which option is wrong. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
      url: { type: "string" },
      "flush-ms": { type: "string", default: "0" },
      databases: { type: "string", default: "postgres,pglite" },
      workloads: { type: "string", default: WORKLOADS.map(({ name }) => name).join(",") },
      workers: { type: "string", default: "1,2" },
      "no-flatness": { type: "boolean", default: false },
      observability: { type: "string", default: OBSERVABILITY.join(",") },
      against: { type: "string" },
      concurrency: { type: "string", default: "200" },
      lanes: { type: "string", default: "2" },
      rounds: { type: "string" },
      steps: { type: "string" },
      "pglite-steps": { type: "string" },
      "latency-samples": { type: "string" },
      backlog: { type: "string" },
    },
  })
  const defaults = values.quick ? QUICK : FULL
  const workers = values.workers.split(",").map((given) => positive("workers", given))
  const names = WORKLOADS.map(({ name }) => name)
  const workloads = values.workloads === "none" ? [] : oneOf("workloads", names, values.workloads)
  const count = (name: keyof typeof FULL): number => positive(name, values[name] ?? String(defaults[name]))
  return {
    isQuick: values.quick,
    isJson: values.json,
    isHelp: values.help,
    isWriting: values.write,
    url: values.url,
    flushMs: flushMs(values["flush-ms"], values.url),
    databases: oneOf("databases", ["postgres", "pglite"] as const, values.databases),
    workloads,
    workers,
    workersOf: (database, workload) => {
      if (database === "pglite") return [1]
      return values.quick && workload !== workloads[0] ? workers.slice(0, 1) : workers
    },
    hasFlatness: !values["no-flatness"],
    observability: values.observability === "none" ? [] : oneOf("observability", OBSERVABILITY, values.observability),
    against: values.against === undefined ? undefined : checkout(values.against),
    concurrency: positive("concurrency", values.concurrency),
    lanes: positive("lanes", values.lanes),
    rounds: count("rounds"),
    steps: count("steps"),
    pgliteSteps: count("pglite-steps"),
    eventsPerRound: values.quick ? 5_000 : 200_000,
    latencySamples: count("latency-samples"),
    backlog: count("backlog"),
  }
}

function flushMs(given: string, url: string | undefined): number {
  const value = Number(given)
  if (!Number.isInteger(value) || value < 0 || value > 100) {
    throw new Error(`expected --flush-ms to be an integer from 0 to 100, got "${given}"`)
  }
  if (value > 0 && url !== undefined)
    throw new Error("expected no --url with --flush-ms: it changes a server's settings")
  return value
}

function checkout(given: string): string {
  const dir = resolve(given)
  if (existsSync(join(dir, "bench/dist/engine-main.js"))) return dir
  throw new Error(
    `expected --against to be a checkout that is built (npx tsc -b packages/engine bench), got "${given}"`,
  )
}

function positive(name: string, given: string): number {
  const value = Number(given)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`expected --${name} to be an integer of 1 or more, got "${given}"`)
}

function oneOf<Choice extends string>(name: string, choices: readonly Choice[], given: string): readonly Choice[] {
  return given.split(",").map((each) => {
    const found = choices.find((choice) => choice === each)
    if (found === undefined) throw new Error(`expected --${name} to be some of ${choices.join(", ")}, got "${each}"`)
    return found
  })
}
