import { type Contestant, startEngine } from "./contestants.ts"
import { type Collector, startCollector } from "./measure/collector.ts"
import { median } from "./measure/statistics.ts"
import { costOf, rateOf } from "./measure-workload.ts"
import type { BenchOptions, ObservabilityPart } from "./options.ts"
import type { Server } from "./server.ts"
import { findWorkload } from "./workloads.ts"

/** What observing the engine costs. */
export interface ObservabilityCost {
  readonly workload: string
  /** What was on, at its default settings. */
  readonly observability: readonly ObservabilityPart[]
  /** The checkout whose engine had nothing on; null: this one. */
  readonly against: string | null
  readonly stepsPerSecond: number
  /** With nothing on, in turns with the other. */
  readonly plainStepsPerSecond: number
  /** The median of the rounds' ratios. */
  readonly ratioToPlain: number
  readonly ratioRange: readonly [number, number]
  /** CPU time of the worker process, creating included. */
  readonly workerCpuMsPerStep: number
  readonly plainWorkerCpuMsPerStep: number
  /** What the collector took, of all rounds and the warm-up together. */
  readonly collectedBytesPerStep: number
}

interface Contender {
  readonly engine: Contestant
  readonly database: string
}

/** How many rounds there are in place of one. */
const FINENESS = 4

/** Runs a workload in turns with and without what observes it. */
export async function measureObservability(options: BenchOptions, server: Server): Promise<ObservabilityCost> {
  const workload = findWorkload("linear_4")
  const stepsPerTask = workload.parents.length
  const collector = await startCollector()
  const plain = await open("bench_plain", options, server)
  const observed = await open("bench_observed", options, server, collector)
  try {
    // More and shorter rounds than elsewhere: a few percent are looked for on a machine whose speed changes by more
    // from one second to the next, and what stands next to each other is alike.
    const rounds = options.rounds * FINENESS
    const tasks = Math.ceil(options.steps / FINENESS / stepsPerTask)
    const warmUp = tasks
    for (const each of [plain, observed]) await each.engine.run(warmUp)
    const pairs: { plain: Measured; observed: Measured }[] = []
    for (let round = 0; round < rounds; round++) {
      const measured: { plain?: Measured; observed?: Measured } = {}
      for (const name of round % 2 === 0 ? (["plain", "observed"] as const) : (["observed", "plain"] as const)) {
        const { engine, database } = { plain, observed }[name]
        const cost = await costOf({ server }, engine, database, tasks)
        measured[name] = { rate: rateOf(cost, stepsPerTask), cpuMsPerStep: cost.usage.cpuMs / (tasks * stepsPerTask) }
      }
      // Both names were measured.
      pairs.push(measured as Required<typeof measured>)
    }
    // Spans wait up to a second for others to be sent with. A process that ends sends what it holds.
    await observed.engine.end()
    const observedSteps = (warmUp + rounds * tasks) * stepsPerTask
    const ratios = pairs.map((pair) => pair.observed.rate / pair.plain.rate)
    return {
      workload: workload.name,
      observability: options.observability,
      against: options.against ?? null,
      stepsPerSecond: median(pairs.map((pair) => pair.observed.rate)),
      plainStepsPerSecond: median(pairs.map((pair) => pair.plain.rate)),
      ratioToPlain: median(ratios),
      ratioRange: [Math.min(...ratios), Math.max(...ratios)],
      workerCpuMsPerStep: median(pairs.map((pair) => pair.observed.cpuMsPerStep)),
      plainWorkerCpuMsPerStep: median(pairs.map((pair) => pair.plain.cpuMsPerStep)),
      collectedBytesPerStep: collector.bytes / observedSteps,
    }
  } finally {
    for (const { engine, database } of [plain, observed]) {
      await engine.end()
      await server.dropDatabase(database)
    }
    await collector.close()
  }
}

interface Measured {
  readonly rate: number
  readonly cpuMsPerStep: number
}

async function open(
  database: string,
  options: BenchOptions,
  server: Server,
  collector?: Collector,
): Promise<Contender> {
  const { concurrency, lanes, observability: parts, against } = options
  const url = await server.createDatabase(database)
  const processOptions = { url, workload: "linear_4", concurrency, lanes }
  if (collector === undefined) return { engine: await startEngine(1, processOptions, against), database }
  const observability = { parts, collectorUrl: collector.url }
  return { engine: await startEngine(1, { ...processOptions, observability }), database }
}
