/** What the page says of a metric. */
export interface MetricEntry {
  readonly name: string
  readonly type: "counter" | "gauge" | "histogram"
  readonly help: string
  readonly labels: readonly string[]
  readonly scope: "process" | "system"
}

/**
 * The page of the reference that lists the metrics, as Markdown.
 *
 * @param buckets - of each histogram, by its name
 */
export function metricsPage(
  entries: readonly MetricEntry[],
  buckets: Readonly<Record<string, readonly number[]>>,
): string {
  const rows = (scope: MetricEntry["scope"]) => entries.filter((entry) => entry.scope === scope).map(row)
  const lists = Object.entries(buckets).map(([name, bounds]) => `- \`${name}\`: ${bounds.join(", ")}`)
  return `${HEAD}
## Of a process

What this process did, or has now. The sum over all processes is the system's: \`sum without (instance)\`.

${table(rows("process"))}

## Of the system

What the database says, so that every process tells the same: \`max without (instance)\`, not the sum.

${table(rows("system"))}

## Buckets

Upper bounds in seconds, unless \`createMetrics\` was given others; one more bucket holds what took longer.

${lists.join("\n")}
`
}

const HEAD = `<!-- Generated from packages/telemetry/src/metrics/metric-catalogue.ts by \`npm run generate\`. Do not edit. -->

# Metrics

What \`createMetrics\` of \`@tasker/telemetry\` gives to Prometheus. [The guide](../guides/metrics.md) says how to get at them.
Names and labels are never renamed or reused.
`

function row({ name, type, labels, help }: MetricEntry): string {
  const shown = labels.length === 0 ? "" : labels.map((label) => `\`${label}\``).join(", ")
  return `| \`${name}\` | ${type} | ${shown} | ${help.replaceAll("|", "\\|")} |`
}

function table(rows: readonly string[]): string {
  return ["| metric | type | labels | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n")
}
