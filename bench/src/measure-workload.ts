import { type Contestant, type Run, startEngine, startFloor } from "./contestants.ts"
import { median, quantile, sum } from "./measure/statistics.ts"
import type { BenchOptions, DatabaseKind } from "./options.ts"
import type { Counters, Usage } from "./processes/apis.ts"
import type { Server } from "./server.ts"
import { findWorkload, type Workload } from "./workloads.ts"

/** What was measured of one workload. Per step is per step of the task; null is what cannot be measured there. */
export interface WorkloadResult {
  readonly workload: string
  readonly database: DatabaseKind
  /** Worker processes. */
  readonly workers: number
  /** Creating the tasks included. */
  readonly stepsPerSecond: number
  /** Running alone. */
  readonly runningStepsPerSecond: number
  readonly floorStepsPerSecond: number
  /** The median of the rounds' ratios: not the ratio of the medians. */
  readonly ratioToFloor: number
  /** The lowest and the highest of the rounds' ratios. */
  readonly ratioRange: readonly [number, number]
  /** Creating included. */
  readonly walBytesPerStep: number | null
  readonly creatingWalBytesPerStep: number | null
  readonly floorWalBytesPerStep: number | null
  readonly commitsPerStep: number | null
  readonly roundTripsPerStep: number
  /** CPU time of all worker processes, creating included. */
  readonly workerCpuMsPerStep: number
  /** CPU time of the server; on PGlite it is in the worker's. */
  readonly serverCpuMsPerStep: number | null
  readonly floorCpuMsPerStep: number | null
  /** Of one task in an idle system: from `createTask` until `waitForTask` resolves. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly floorP50Ms: number
  readonly floorP99Ms: number
  /** Of one task in an idle system: turns of workers. */
  readonly idleAdvancesPerStep: number
  readonly steps: number
  readonly rounds: number
}

/** Where one workload is measured. */
export interface Arena {
  readonly kind: DatabaseKind
  readonly engine: Contestant
  readonly floor: Contestant
  readonly server: Server | undefined
  readonly engineDatabase: string
  readonly floorDatabase: string
  close(): Promise<void>
}

/** What a run cost. */
interface Cost extends Run {
  readonly usage: Usage
  readonly serverCpuMs: number | null
  readonly counters: Counters | null
  /** Bytes of log, of creating alone. */
  readonly creatingWalBytes: number | null
}

/** Runs engine and floor in turns, so that a noisy machine hurts both alike. */
export async function measureWorkload(
  name: string,
  kind: DatabaseKind,
  workers: number,
  options: BenchOptions,
  server: Server | undefined,
): Promise<WorkloadResult> {
  const workload = findWorkload(name)
  const arena = await openArena(workload, kind, workers, options, server)
  try {
    const steps = kind === "pglite" ? options.pgliteSteps : options.steps
    const tasks = Math.max(1, Math.round(steps / workload.parents.length))
    // Code that was never run is slow: neither contestant is measured on its first steps.
    const warmUp = Math.ceil(tasks / 5)
    await arena.floor.run(warmUp)
    await arena.engine.run(warmUp)
    const rounds: { engine: Cost; floor: Cost }[] = []
    for (let round = 0; round < options.rounds; round++) rounds.push(await runRound(arena, tasks, round % 2 === 0))
    const idle = await measureIdle(arena, options.latencySamples, workload)
    return { workload: name, database: kind, workers, ...summarize(rounds, workload), ...idle, rounds: options.rounds }
  } finally {
    await arena.close()
  }
}

async function openArena(
  workload: Workload,
  kind: DatabaseKind,
  workers: number,
  options: BenchOptions,
  server: Server | undefined,
): Promise<Arena> {
  const engineDatabase = `bench_${workload.name}_${workers}`
  const floorDatabase = `${engineDatabase}_floor`
  const processOptions = {
    workload: workload.name,
    concurrency: Math.floor(options.concurrency / workers),
    lanes: options.lanes,
  }
  const urlOf = async (database: string) => (await server?.createDatabase(database)) ?? "pglite:memory"
  const floor = await startFloor(workers, { ...processOptions, url: await urlOf(floorDatabase) })
  const engine = await startEngine(workers, { ...processOptions, url: await urlOf(engineDatabase) })
  const close = async (): Promise<void> => {
    await Promise.all([engine.end(), floor.end()])
    await server?.dropDatabase(engineDatabase)
    await server?.dropDatabase(floorDatabase)
  }
  return { kind, engine, floor, server, engineDatabase, floorDatabase, close }
}

async function runRound(arena: Arena, tasks: number, isFloorFirst: boolean): Promise<{ engine: Cost; floor: Cost }> {
  const runFloor = () => costOf(arena, arena.floor, arena.floorDatabase, tasks)
  const runEngine = () => costOf(arena, arena.engine, arena.engineDatabase, tasks)
  if (isFloorFirst) {
    const floor = await runFloor()
    return { floor, engine: await runEngine() }
  }
  const engine = await runEngine()
  return { engine, floor: await runFloor() }
}

/** Runs one contestant, and reads before and after what it used. */
export async function costOf(
  { server }: Pick<Arena, "server">,
  contestant: Contestant,
  database: string,
  tasks: number,
): Promise<Cost> {
  // So that no run pays for what another left to write.
  await server?.query("checkpoint")
  const usageBefore = await contestant.usage()
  const before = (await server?.counters(database)) ?? usageBefore.counters
  const cpuBefore = server?.cpuMs() ?? null
  let created: Counters | null = null
  const run = await contestant.run(tasks, async () => {
    created = (await server?.counters(database)) ?? null
  })
  const cpuAfter = server?.cpuMs() ?? null
  const usageAfter = await contestant.usage()
  const after = (await server?.counters(database)) ?? usageAfter.counters
  return {
    ...run,
    usage: usedBetween(usageBefore, usageAfter),
    serverCpuMs: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore,
    counters: countedBetween(before, after),
    creatingWalBytes: countedBetween(before, created)?.walBytes ?? null,
  }
}

function usedBetween(before: Usage, after: Usage): Usage {
  return {
    cpuMs: after.cpuMs - before.cpuMs,
    roundTrips: after.roundTrips - before.roundTrips,
    advances: after.advances - before.advances,
    counters: null,
  }
}

function countedBetween(before: Counters | null, after: Counters | null): Counters | null {
  if (before === null || after === null) return null
  const commits = before.commits === null || after.commits === null ? null : after.commits - before.commits
  return { walBytes: after.walBytes - before.walBytes, commits }
}

type Throughput = Omit<WorkloadResult, keyof Idle | "workload" | "database" | "workers" | "rounds">

function summarize(rounds: readonly { engine: Cost; floor: Cost }[], workload: Workload): Throughput {
  const stepsPerTask = workload.parents.length
  const steps = (rounds[0]?.engine.tasks ?? 0) * stepsPerTask
  const engines = rounds.map((round) => round.engine)
  const floors = rounds.map((round) => round.floor)
  const ratios = rounds.map(({ engine, floor }) => rateOf(engine, stepsPerTask) / rateOf(floor, stepsPerTask))
  const perStep = (costs: readonly Cost[], of: (cost: Cost) => number | null | undefined): number | null => {
    const values = costs.flatMap((cost) => of(cost) ?? [])
    return values.length === 0 ? null : median(values) / steps
  }
  return {
    stepsPerSecond: median(engines.map((cost) => rateOf(cost, stepsPerTask))),
    runningStepsPerSecond: median(engines.map((cost) => rateOf({ ...cost, creatingMs: 0 }, stepsPerTask))),
    floorStepsPerSecond: median(floors.map((cost) => rateOf(cost, stepsPerTask))),
    ratioToFloor: median(ratios),
    ratioRange: [Math.min(...ratios), Math.max(...ratios)],
    walBytesPerStep: perStep(engines, (cost) => cost.counters?.walBytes),
    creatingWalBytesPerStep: perStep(engines, (cost) => cost.creatingWalBytes),
    floorWalBytesPerStep: perStep(floors, (cost) => cost.counters?.walBytes),
    commitsPerStep: perStep(engines, (cost) => cost.counters?.commits),
    roundTripsPerStep: perStep(engines, (cost) => cost.usage.roundTrips) ?? 0,
    workerCpuMsPerStep: perStep(engines, (cost) => cost.usage.cpuMs) ?? 0,
    serverCpuMsPerStep: perStep(engines, (cost) => cost.serverCpuMs),
    floorCpuMsPerStep: perStep(floors, (cost) => cost.usage.cpuMs + (cost.serverCpuMs ?? 0)),
    steps,
  }
}

/** Steps a second, creating included. */
export function rateOf(run: Run, stepsPerTask: number): number {
  return (run.tasks * stepsPerTask * 1_000) / (run.creatingMs + run.runningMs)
}

type Idle = Pick<WorkloadResult, "p50Ms" | "p99Ms" | "floorP50Ms" | "floorP99Ms" | "idleAdvancesPerStep">

const BLOCKS = 10

async function measureIdle({ engine, floor }: Arena, samples: number, workload: Workload): Promise<Idle> {
  const engineMs: number[] = []
  const floorMs: number[] = []
  const block = Math.ceil(samples / BLOCKS)
  await engine.idle()
  await engine.latencies(block)
  await floor.latencies(block)
  const before = await engine.usage()
  for (let done = 0; done < samples; done += block) {
    engineMs.push(...(await engine.latencies(block)))
    floorMs.push(...(await floor.latencies(block)))
  }
  const after = await engine.usage()
  await engine.rest()
  return {
    p50Ms: median(engineMs),
    p99Ms: quantile(engineMs, 0.99),
    floorP50Ms: median(floorMs),
    floorP99Ms: quantile(floorMs, 0.99),
    idleAdvancesPerStep: (after.advances - before.advances) / sum(engineMs.map(() => workload.parents.length)),
  }
}
