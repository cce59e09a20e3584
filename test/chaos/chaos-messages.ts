/** What a worker process is started with, as JSON on its command line. */
export interface ChaosWorkerOptions {
  readonly url: string
  readonly name: string
  readonly leaseMs: number
  /** How long a step takes at most; each takes a random part of it. */
  readonly stepMs: number
  /** Whether to tell of each step that ran to its end. */
  readonly reportsRuns: boolean
  /** Instead of running steps, handles what happens to tasks under the durable subscription `audit`. */
  readonly subscribes: boolean
  /** How long to wait for running steps after SIGTERM. */
  readonly stopMs: number
}

/** What a worker process tells the test. */
export type ChaosMessage =
  | { readonly event: "ready" }
  /** A step of `gate` waits for its release. */
  | { readonly event: "started"; readonly taskId: string; readonly step: string; readonly attempt: number }
  /** A handler ran to its end, and has a result. */
  | { readonly event: "ran"; readonly taskId: string; readonly step: string; readonly attempt: number }
  /** The engine published that a step is complete, or with `null` a task. */
  | { readonly event: "completed"; readonly taskId: string; readonly step: string | null }
