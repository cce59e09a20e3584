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

/** How many rounds each pair of processes runs, in place of one. */
const ROUNDS = 4
/** How many runs come before, until V8 has optimized what it will. */
const WARM_UPS = 3

/**
 * Runs a workload in turns with and without what observes it.
 *
 * In shorter rounds than elsewhere: a few percent are looked for on a machine whose speed changes by more from one second
 * to the next, and what stands next to each other is alike. And in new processes and databases again and again: of two
 * that do the same, one may be faster than the other for as long as it lives.
 */
export async function measureObservability(options: BenchOptions, server: Server): Promise<ObservabilityCost> {
  const workload = findWorkload("linear_4")
  const stepsPerTask = workload.parents.length
  const tasks = Math.ceil(options.steps / ROUNDS / stepsPerTask)
  const collector = await startCollector()
  try {
    const rounds: Round[] = []
    for (let pair = 0; pair < options.rounds; pair++) {
      rounds.push(...(await measurePair(options, server, collector, { tasks, stepsPerTask, isOdd: pair % 2 === 1 })))
    }
    const observedSteps = options.rounds * (WARM_UPS + ROUNDS) * tasks * stepsPerTask
    const ratios = rounds.map(({ plain, observed }) => observed.rate / plain.rate)
    return {
      workload: workload.name,
      observability: options.observability,
      against: options.against ?? null,
      stepsPerSecond: median(rounds.map(({ observed }) => observed.rate)),
      plainStepsPerSecond: median(rounds.map(({ plain }) => plain.rate)),
      ratioToPlain: median(ratios),
      ratioRange: [Math.min(...ratios), Math.max(...ratios)],
      workerCpuMsPerStep: median(rounds.map(({ observed }) => observed.cpuMsPerStep)),
      plainWorkerCpuMsPerStep: median(rounds.map(({ plain }) => plain.cpuMsPerStep)),
      collectedBytesPerStep: collector.bytes / observedSteps,
    }
  } finally {
    await collector.close()
  }
}

interface Round {
  readonly plain: Measured
  readonly observed: Measured
}

interface PairOptions {
  /** Of one run. */
  readonly tasks: number
  readonly stepsPerTask: number
  /** Every other pair begins with the other. */
  readonly isOdd: boolean
}

async function measurePair(
  options: BenchOptions,
  server: Server,
  collector: Collector,
  { tasks, stepsPerTask, isOdd }: PairOptions,
): Promise<readonly Round[]> {
  const opened: Contender[] = []
  const begin = async (database: string, collectorOfIt?: Collector): Promise<Contender> => {
    const contender = await open(database, options, server, collectorOfIt)
    opened.push(contender)
    for (let run = 0; run < WARM_UPS; run++) await contender.engine.run(tasks)
    return contender
  }
  const measure = async ({ engine, database }: Contender): Promise<Measured> => {
    const cost = await costOf({ server }, engine, database, tasks)
    return { rate: rateOf(cost, stepsPerTask), cpuMsPerStep: cost.usage.cpuMs / (tasks * stepsPerTask) }
  }
  try {
    const plain = await begin("bench_plain")
    const observed = await begin("bench_observed", collector)
    const rounds: Round[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const isPlainFirst = (round % 2 === 1) === isOdd
      const first = await measure(isPlainFirst ? plain : observed)
      const second = await measure(isPlainFirst ? observed : plain)
      rounds.push(isPlainFirst ? { plain: first, observed: second } : { plain: second, observed: first })
    }
    return rounds
  } finally {
    // Spans wait up to a second for others to be sent with. A process that ends sends what it holds.
    for (const { engine, database } of opened) {
      await engine.end()
      await server.dropDatabase(database)
    }
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
