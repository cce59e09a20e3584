import { exposeCounter, exposeHistogram, type CounterSeries, type Exposure, type HistogramSeries } from "./expose.ts"
import { DATABASE_BUCKETS, METRICS } from "./metric-catalogue.ts"

/** What is counted as it happens. */
export interface Series extends Readonly<Record<CounterName, CounterSeries>> {
  readonly taskDuration: HistogramSeries
  readonly stepDuration: HistogramSeries
  readonly databaseCallDuration: HistogramSeries
}

type CounterName = (typeof COUNTERS)[number]

const COUNTERS = [
  "tasksCreated",
  "tasksDeduplicated",
  "tasksRefused",
  "tasksEnded",
  "tasksReopened",
  "stepsEnded",
  "stepRetries",
  "stepTimeouts",
  "stepsRescued",
  "stepsHandedBack",
  "stepsFenced",
  "stepsReopened",
  "workerHeartbeats",
  "workerDisconnections",
  "workerLeasesLost",
  "workersLost",
  "listenerRestored",
  "subscriberFailures",
  "subscriberDrops",
  "subscriptionFailures",
  "exports",
  "violations",
  "collectFailures",
] as const

/** @param buckets - in seconds */
export function createSeries(
  exposure: Exposure,
  buckets: { readonly step: readonly number[]; readonly task: readonly number[] },
): Series {
  const counters = COUNTERS.map((name) => [name, exposeCounter(exposure, METRICS[name])] as const)
  return {
    // One of each name: they were made from the list.
    ...(Object.fromEntries(counters) as Record<CounterName, CounterSeries>),
    taskDuration: exposeHistogram(exposure, METRICS.taskDuration, buckets.task),
    stepDuration: exposeHistogram(exposure, METRICS.stepDuration, buckets.step),
    databaseCallDuration: exposeHistogram(exposure, METRICS.databaseCallDuration, DATABASE_BUCKETS),
  }
}
