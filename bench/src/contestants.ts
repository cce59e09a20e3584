import type { EngineApi, EngineEvent, FloorApi, ProcessOptions, Usage } from "./processes/apis.ts"
import { type RemoteProcess, startProcess } from "./processes/calls.ts"
import { sum } from "./measure/statistics.ts"

/** One throughput run. */
export interface Run {
  readonly tasks: number
  /** Zero for the floor, which creates nothing. */
  readonly creatingMs: number
  readonly runningMs: number
}

/** The engine, or the floor, in its processes on a database of its own. */
export interface Contestant {
  /** Runs so many tasks to their end. `onCreated` is called between creating and running. */
  run(tasks: number, onCreated?: () => Promise<void>): Promise<Run>
  /** Lets its workers wait for work, for {@link latencies}. */
  idle(): Promise<void>
  latencies(samples: number): Promise<readonly number[]>
  /** Ends what {@link idle} began. */
  rest(): Promise<void>
  /** The sum of its processes. */
  usage(): Promise<Usage>
  end(): Promise<void>
}

/**
 * The first process creates the tasks; all of them run workers.
 *
 * @param checkout - the repository whose engine it is. Default: this one
 */
export async function startEngine(workers: number, options: ProcessOptions, checkout?: string): Promise<Contestant> {
  const processes = Array.from({ length: workers }, () => startProcess<EngineApi, EngineEvent>("engine-main", checkout))
  // One after the other: the first creates the schema, so that what is measured is never ten processes in a queue for it.
  for (const each of processes) await each.call("open", options)
  const [creator] = processes
  if (creator === undefined) throw new Error("expected at least one process")
  const startAll = () => Promise.all(processes.map((each) => each.call("run")))
  const stopAll = async () => void (await Promise.all(processes.map((each) => each.call("stop"))))
  return {
    run: async (tasks, onCreated) => {
      const creatingMs = await creator.call("create", { tasks })
      await onCreated?.()
      const startedAt = performance.now()
      const lastStepsRan = countTo(tasks, processes)
      await startAll()
      await lastStepsRan
      await Promise.all(processes.map((each) => each.call("settle")))
      const runningMs = performance.now() - startedAt
      await stopAll()
      return { tasks, creatingMs, runningMs }
    },
    idle: async () => void (await startAll()),
    latencies: (samples) => creator.call("latencies", samples),
    rest: stopAll,
    usage: () => usageOf(processes),
    end: async () => void (await Promise.all(processes.map((each) => each.end()))),
  }
}

export async function startFloor(workers: number, options: ProcessOptions): Promise<Contestant> {
  const processes = Array.from({ length: workers }, () => startProcess<FloorApi>("floor-main"))
  for (const each of processes) await each.call("open", options)
  const [first] = processes
  if (first === undefined) throw new Error("expected at least one process")
  return {
    run: async (tasks) => {
      const startedAt = performance.now()
      await Promise.all(
        processes.map((each, index) => each.call("run", Math.floor((tasks + index) / processes.length))),
      )
      return { tasks, creatingMs: 0, runningMs: performance.now() - startedAt }
    },
    idle: async () => {},
    latencies: (samples) => first.call("latencies", samples),
    rest: async () => {},
    usage: () => usageOf(processes),
    end: async () => void (await Promise.all(processes.map((each) => each.end()))),
  }
}

/** How long no last step may run before a run counts as stuck. */
const STUCK_MS = 60_000

/** Resolves once the processes have run so many last steps together. They say so by themselves; the database is not asked. */
function countTo(tasks: number, processes: readonly RemoteProcess<EngineApi, EngineEvent>[]): Promise<void> {
  const counts = processes.map(() => 0)
  return new Promise((resolve, reject) => {
    const stuck = () =>
      reject(new Error(`no step ended for ${STUCK_MS / 1_000} s, at ${sum(counts)} of ${tasks} tasks`))
    let timer = setTimeout(stuck, STUCK_MS)
    for (const [index, each] of processes.entries()) {
      each.onEvent(({ lastSteps }) => {
        clearTimeout(timer)
        counts[index] = lastSteps
        if (sum(counts) < tasks) {
          timer = setTimeout(stuck, STUCK_MS)
          return
        }
        for (const finished of processes) finished.onEvent(() => {})
        resolve()
      })
    }
  })
}

async function usageOf(
  processes: readonly Pick<RemoteProcess<{ usage(): Promise<Usage> }, never>, "call">[],
): Promise<Usage> {
  const usages = await Promise.all(processes.map((each) => each.call("usage")))
  return {
    cpuMs: sum(usages.map((each) => each.cpuMs)),
    roundTrips: sum(usages.map((each) => each.roundTrips)),
    advances: sum(usages.map((each) => each.advances)),
    counters: usages[0]?.counters ?? null,
  }
}
