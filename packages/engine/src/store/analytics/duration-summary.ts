/** Durations in a few numbers. Percentiles are exact: of all durations that were measured, none is estimated. */
export interface DurationSummary {
  /** How many were measured. */
  readonly count: number
  readonly totalMs: number
  readonly averageMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}
