import { integerRule } from "../../core/option-rules.ts"

/** How much of a period is looked at closely. */
export interface SampleOptions {
  /**
   * How many attempts are looked at closely at most, the dependencies of their steps counted like attempts; 1,000 to
   * 1,000,000. A period with more is measured by a fair sample of its tasks, always the same one; counts and the durations
   * of tasks are never sampled.
   *
   * Default: 50,000.
   */
  readonly sampleSize?: number | undefined
}

/** How much was looked at: all that there was, or a sample. */
export interface Measured {
  readonly tasks: number
  readonly attempts: number
}

export const sampleRule = integerRule(1_000, 1_000_000)

export const DEFAULT_SAMPLE_SIZE = 50_000
