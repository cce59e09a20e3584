import { describeValue } from "../../core/describe-value.ts"
import { TaskerError } from "../../core/error.ts"
import type { MetricType, SampleRecord } from "../../core/exporter.ts"

/** One value of a metric. */
export interface MetricSample {
  readonly value: number
  readonly labels?: Readonly<Partial<Record<string, string | number>>>
  /** The sample's own name, where it differs from its metric's: with `_bucket`, `_sum` or `_count`. */
  readonly metricName?: string
}

/** A metric and its samples. */
export interface MetricFamily {
  readonly name: string
  readonly help?: string
  /** `counter`, `gauge`, `histogram` or `summary`. The types of prom-client claim a number, but it is this text. */
  readonly type?: string | number
  readonly values: readonly MetricSample[]
}

/** Gives the metrics as they are when it is called. prom-client's `register.getMetricsAsJSON()` gives this form. */
export type MetricsSource = () => Promise<readonly MetricFamily[]> | readonly MetricFamily[]

const METRIC_TYPES: ReadonlySet<unknown> = new Set<MetricType>(["counter", "gauge", "histogram", "summary", "untyped"])

/** The metrics of a source as samples, those of one metric one after another. */
export async function readSamples(source: MetricsSource, at: Date): Promise<readonly SampleRecord[]> {
  const families: unknown = await source()
  if (!isFamilies(families)) {
    const got = describeValue(families)
    throw new TaskerError(
      "TASKER_OPTION_INVALID",
      `expected metrics to give a list of metrics with values, got ${got}`,
      {
        hint: "pass `() => register.getMetricsAsJSON()`",
        details: { argument: "metrics" },
      },
    )
  }
  return families.flatMap((family) => family.values.map((sample) => toRecord(family, sample, at)))
}

/** The names of all labels, sorted. */
export function labelsOf(samples: readonly SampleRecord[]): readonly string[] {
  return [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))].toSorted()
}

function isFamilies(value: unknown): value is readonly MetricFamily[] {
  return Array.isArray(value) && value.every(isFamily)
}

function isFamily(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("name" in value) || !("values" in value)) return false
  return typeof value.name === "string" && Array.isArray(value.values) && value.values.every(isSample)
}

function isSample(value: unknown): boolean {
  return typeof value === "object" && value !== null && "value" in value && typeof value.value === "number"
}

function toRecord(family: MetricFamily, sample: MetricSample, at: Date): SampleRecord {
  const labels: Record<string, string> = {}
  for (const [label, value] of Object.entries(sample.labels ?? {})) {
    if (value !== undefined) labels[label] = labelText(value)
  }
  return {
    kind: "sample",
    at,
    metric: family.name,
    name: sample.metricName ?? family.name,
    type: isMetricType(family.type) ? family.type : "untyped",
    help: family.help ?? "",
    labels,
    value: sample.value,
  }
}

function isMetricType(type: unknown): type is MetricType {
  return METRIC_TYPES.has(type)
}

/** The upper bound of the last bucket may be given as a number. */
function labelText(value: string | number): string {
  return value === Number.POSITIVE_INFINITY ? "+Inf" : String(value)
}
