import { checkOptions, flagRule, integerRule, type OptionRule } from "@tasker/engine"
import type { Registry } from "prom-client"

/** How metrics are made. Every option has a default. */
export interface MetricsOptions {
  /**
   * Where they are put, such as prom-client's own `register`, beside the metrics of the application.
   * Two Taskers cannot share one. Default: a new registry.
   */
  readonly registry?: Registry | undefined
  /**
   * How many series a metric may have, from 1 to 100,000; a histogram counts as one for each combination of labels. What
   * comes beyond is counted under `other`, and in `tasker_metrics_capped_total`. Default: 2,000.
   */
  readonly seriesLimit?: number | undefined
  /** The upper bounds of the buckets of `tasker_step_duration_seconds`, ascending. Default: 5 ms to 5 minutes. */
  readonly stepBuckets?: readonly number[] | undefined
  /** The same of `tasker_task_duration_seconds`. Default: 10 ms to 1 day. */
  readonly taskBuckets?: readonly number[] | undefined
  /**
   * Whether this process asks the database about the queues when it is scraped. What the answer says is true of the whole
   * system, so that one process of many is enough. Default: true.
   */
  readonly queues?: boolean | undefined
  /** How far the steps of a queue are counted, from 1 to 1,000,000: about a millisecond for 1,000. Default: 10,000. */
  readonly queueCountLimit?: number | undefined
  /**
   * How long a scrape waits for that, in milliseconds, from 10 to 60,000; then it goes without. Default: 3,000, as
   * Prometheus waits 10 seconds for a scrape.
   */
  readonly queueTimeoutMs?: number | undefined
}

/** @throws TaskerError `TASKER_OPTION_INVALID`, with every problem */
export function checkMetricsOptions(options: MetricsOptions): void {
  checkOptions("createMetrics", options, RULES, "TASKER_OPTION_INVALID")
}

const bucketsRule: OptionRule = {
  rule: "a list of 1 to 100 numbers, each greater than the one before",
  accepts: (value) =>
    Array.isArray(value)
    && value.length >= 1
    && value.length <= 100
    && value.every((bound, index) => Number.isFinite(bound) && (index === 0 || bound > value[index - 1])),
}

const RULES = {
  registry: {
    rule: "a Registry of prom-client",
    // Another copy of prom-client has another class.
    accepts: (value: unknown) =>
      typeof value === "object"
      && value !== null
      && ["registerMetric", "getSingleMetric", "removeSingleMetric", "metrics", "getMetricsAsJSON"].every(
        (method) => typeof Reflect.get(value, method) === "function",
      ),
  },
  seriesLimit: integerRule(1, 100_000),
  stepBuckets: bucketsRule,
  taskBuckets: bucketsRule,
  queues: flagRule,
  queueCountLimit: integerRule(1, 1_000_000),
  queueTimeoutMs: integerRule(10, 60_000),
}
