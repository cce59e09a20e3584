import type { ObservabilityPart } from "../options.ts"

/** How a process of either kind is to work. */
export interface ProcessOptions {
  readonly url: string
  readonly workload: string
  /** Steps in flight in this process. */
  readonly concurrency: number
  readonly lanes: number
  /** What observes the engine; nothing unless it is said. */
  readonly observability?: ProcessObservability
}

export interface ProcessObservability {
  readonly parts: readonly ObservabilityPart[]
  /** Where spans go. */
  readonly collectorUrl: string
}

/** What a process has used so far. */
export interface Usage {
  readonly cpuMs: number
  readonly roundTrips: number
  readonly advances: number
  /** Of PGlite, which only its process can ask; else null. */
  readonly counters: Counters | null
}

/** What a server has done so far. */
export interface Counters {
  readonly walBytes: number
  /** Null where the server does not say. */
  readonly commits: number | null
}

/** A process that runs the engine. */
export interface EngineApi {
  open(options: ProcessOptions): Promise<void>
  /** Creates tasks, by the client's `createTasks`; gives the time that it took. */
  create(request: { readonly tasks: number; readonly runAt?: string }): Promise<number>
  /** Starts a worker; from then on {@link EngineEvent}s come. */
  run(): Promise<void>
  /** Waits until the tasks whose last step this process ran have ended: those of the last batches, when all have run. */
  settle(): Promise<void>
  stop(): Promise<void>
  /** Creates one task after the other, waits for each; gives how long each took, in milliseconds. */
  latencies(samples: number): Promise<readonly number[]>
  usage(): Promise<Usage>
}

/** How many last steps the process has run since `run`. */
export interface EngineEvent {
  readonly lastSteps: number
}

/** A process that writes the least that there is to write. */
export interface FloorApi {
  open(options: ProcessOptions): Promise<void>
  /** Writes the steps of so many tasks. */
  run(tasks: number): Promise<void>
  latencies(samples: number): Promise<readonly number[]>
  usage(): Promise<Usage>
}
