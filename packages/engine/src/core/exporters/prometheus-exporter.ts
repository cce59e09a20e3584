import { TaskerError } from "../error.ts"
import type { Exporter, MetricType, SampleRecord } from "../exporter.ts"
import { flagRule } from "../option-rules.ts"
import { nonFiniteText } from "./columns.ts"

/** Options of the format `prometheus`. */
export interface PrometheusOptions {
  /** Whether each sample says when it was taken; Prometheus then takes that for its time. Default: false. */
  readonly timestamps?: boolean | undefined
}

/**
 * The text that Prometheus scrapes, version 0.0.4; its content type is `text/plain; version=0.0.4; charset=utf-8`.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * Text that Prometheus would refuse is not written: a name that it does not take, a metric in two places and a series
 * that occurs twice fail the export.
 */
export const prometheusExporter: Exporter<PrometheusOptions> = Object.freeze<Exporter<PrometheusOptions>>({
  name: "prometheus",
  version: "1.0.0",
  description: "Metrics as the text that Prometheus scrapes",
  formats: ["prometheus"],
  subjects: ["metrics"],
  options: { timestamps: flagRule },
  async *export(records, { timestamps = false }) {
    const metrics = new Set<string>()
    let metric: string | undefined
    let series = new Set<string>()
    for await (const record of records) {
      if (record.kind !== "sample") continue // it writes nothing else
      if (record.metric !== metric) {
        yield headOf(record, metrics)
        metric = record.metric
        metrics.add(metric)
        series = new Set()
      }
      const name = seriesName(record)
      if (series.has(name)) throw refusal(record, `expected each series once, got ${name} twice`)
      series.add(name)
      yield `${name} ${valueText(record.value)}${timestamps ? ` ${record.at.getTime()}` : ""}\n`
    }
  },
})

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
/** What may follow the name of a metric in those of its samples. */
const SUFFIXES = {
  counter: [""],
  gauge: [""],
  untyped: [""],
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
} as const satisfies Record<MetricType, readonly string[]>

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/

function headOf(record: SampleRecord, metrics: ReadonlySet<string>): string {
  const { metric, type, help } = record
  if (!METRIC_NAME.test(metric)) throw refusal(record, `expected the name of a metric, got "${metric}"`)
  if (metrics.has(metric)) {
    throw refusal(record, `expected the samples of a metric one after another, got ${metric} in two places`)
  }
  const helpLine = help === "" ? "" : `# HELP ${metric} ${escaped(help)}\n`
  return `${helpLine}# TYPE ${metric} ${type}\n`
}

function seriesName(record: SampleRecord): string {
  const { metric, name, type } = record
  const suffixes: readonly string[] = SUFFIXES[type]
  if (!name.startsWith(metric) || !suffixes.includes(name.slice(metric.length))) {
    throw refusal(record, `expected the name of a sample of ${metric}, a ${type}, got "${name}"`)
  }
  // Sorted, so that the same series has the same name.
  const labels = Object.keys(record.labels)
    .toSorted()
    .map((label) => {
      if (!LABEL_NAME.test(label)) throw refusal(record, `expected the name of a label, got "${label}"`)
      return `${label}="${escaped(record.labels[label] ?? "").replaceAll('"', String.raw`\"`)}"`
    })
  return labels.length === 0 ? name : `${name}{${labels.join(",")}}`
}

function escaped(text: string): string {
  return text.replaceAll("\\", String.raw`\\`).replaceAll("\n", String.raw`\n`)
}

function valueText(value: number): string {
  return Number.isFinite(value) ? String(value) : nonFiniteText(value)
}

function refusal({ metric }: SampleRecord, message: string): TaskerError {
  return new TaskerError("TASKER_EXPORT_FAILED", message, {
    hint: "correct what the source of metrics gives",
    details: { metric },
  })
}
