/** How a worker of this process is, as it knows by itself. */
export interface WorkerVitals {
  readonly workerId: number
  readonly name: string
  /**
   * `recovering`: its connection broke or its lease was lost, and it settles what that left behind; it claims nothing
   * meanwhile. `stopping`: it claims no more, and waits for what runs.
   */
  readonly state: "starting" | "running" | "recovering" | "stopping" | "stopped"
  /** How long ago it asked for the lease that it has, in milliseconds. */
  readonly heartbeatAgeMs: number
  /** How old that may get before other workers take its steps back. */
  readonly leaseMs: number
  readonly laneCount: number
  /** How many of its lanes go on claiming and recording. */
  readonly runningLaneCount: number
  /** How many steps it may run at once. */
  readonly concurrency: number
  readonly runningStepCount: number
}
